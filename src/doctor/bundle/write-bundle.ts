import { writeFileSync } from 'node:fs'
import { checkNewFile, writeNewFile } from '../../files/durable/new-file.ts'
import { counted } from '../../text/counted.ts'
import { printableJson } from '../../text/printable.ts'
import type { DoctorContext } from '../context.ts'
import type { Checked } from '../run-checks.ts'
import { bundleContents } from './contents.ts'

/** A bundle that was written. */
export interface Bundle {
  readonly file: string
  readonly bytes: number
  /** What is in it, a few words each. */
  readonly holds: readonly string[]
}

/** Before anything is looked at, which takes its time. @throws ConnectError as writeBundle */
export function checkBundleFile(file: string): void {
  checkNewFile(file)
}

/**
 * Writes what a bug report needs into one file: never over another, and for this user alone.
 *
 * @param file absolute
 * @throws ConnectError FILE_EXISTS, WRITE_FAILED, FILE_UNTRUSTED
 */
export async function writeBundle(
  file: string,
  context: DoctorContext,
  checked: readonly Checked<DoctorContext>[],
): Promise<Bundle> {
  const contents = await bundleContents(context, checked)
  const text = `${printableJson(contents, 2)}\n`
  writeNewFile(file, (beside) => writeFileSync(beside, text))
  const lines = [contents.logs.agent, contents.logs.hub].flatMap((log) => (Array.isArray(log) ? log : []))
  const services = contents.platform?.files?.filter(({ lines: found }) => found !== null) ?? []
  return {
    file,
    bytes: Buffer.byteLength(text),
    holds: [
      `what the ${checked.length} checks have seen`,
      'versions, system, and the names of variables that are set',
      'what kind of hub, proxy, certificate and services there are',
      'size, owner and mode of our files',
      ...services.map(({ name }) => `the text of ${name}`),
      `the last ${counted(lines.length, 'line')} of what agent and hub have logged`,
    ],
  }
}
