import path from 'node:path'
import { readText } from '../../files/read-text.ts'
import type { Daemon } from '../../platforms/platform.ts'
import type { DoctorContext } from '../context.ts'
import type { BundledService } from './bundled.ts'
import type { Redactor } from './redactor.ts'

/**
 * What the daemon is installed by.
 *
 * @returns none where the platform doesn't say which files that are
 * @throws ConnectError what keeps it from being known
 */
export async function serviceFiles(context: DoctorContext, redactor: Redactor): Promise<BundledService[]> {
  const { platform, instance } = await context.daemonContext()
  // Only the names are asked for: what would be written now is another question.
  const nothing: Daemon = { command: ['/bin/false'], env: {}, cwd: '/', logFile: instance.logFile }
  const { files = [] } = (await platform.plan?.(nothing)) ?? {}
  return files.map(({ file }) => ({
    name: shownName(path.basename(file), redactor),
    lines:
      readText(file)
        ?.split('\n')
        .map((line) => redactor.text(line)) ?? null,
  }))
}

/** `private-connect.service`, but for what is the instance's own. */
function shownName(name: string, redactor: Redactor): string {
  return name
    .split('.')
    .map((part) => redactor.text(part))
    .join('.')
}
