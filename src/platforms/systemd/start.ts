import { closeSync } from 'node:fs'
import path from 'node:path'
import { ConnectError } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { openOutputLog } from '../../process/spawn-detached.ts'
import { waitFor } from '../../runtime/wait-for.ts'
import type { Action, Daemon, Installed, Started, StartOptions, Step } from '../platform.ts'
import { stabilise, VERIFY } from '../stabilise.ts'
import { unitText } from './definition.ts'
import { enableLingering } from './install-receipt.ts'
import type { Installation } from './installation.ts'
import { LINGER_COMMAND } from './manager/lingering.ts'
import { NO_MANAGER } from './manager/systemctl.ts'
import type { PreviousUnit } from './rollback.ts'
import { verify, watch } from './verify.ts'

/** How long a user manager that lingering starts may take, in ms. */
const MANAGER_MS = 10_000

/** Lingering starts a manager where none runs: in a shell of su or cron, or for a user who never logs in. */
export function findManager({ manager, home }: Installation): Step {
  return {
    title: 'Find your user manager',
    async run() {
      if (await manager.isThere()) return
      const refused = await enableLingering(manager, home)
      const timeoutMs = refused === undefined ? MANAGER_MS : 0
      if (await waitFor(async () => (await manager.isThere()) || undefined, { timeoutMs })) return
      throw new ConnectError('SERVICE_MANAGER_FAILED', NO_MANAGER, {
        hints: [
          ...(refused === undefined ? [] : [`It could not be started: ${refused}`]),
          `Log in properly, not by su or sudo, or run: ${LINGER_COMMAND}`,
        ],
      })
    },
  }
}

/**
 * Writes the unit if it differs, and has the manager read it.
 *
 * @throws ConnectError INSTALL_UNSUPPORTED, SERVICE_MANAGER_FAILED, WRITE_FAILED
 */
export async function writeUnit(
  { instance, names, file, control }: Installation,
  daemon: Daemon,
  previous: PreviousUnit,
): Promise<Installed['change']> {
  const wanted = unitText(daemon, names.words)
  const found = previous.text
  const change = changeOf(previous, wanted)
  // systemd would make the log for all to read.
  closeSync(openOutputLog(daemon.logFile))
  if (change === 'unchanged') return change
  if (found !== wanted) {
    // What someone has written into the unit by hand isn't lost.
    if (found) writeFileAtomic(path.join(instance.folder, `${names.name}.old`), found)
    file.write(wanted)
  }
  await control.reload()
  return change
}

/** What has to be done about the unit itself; whether it runs and is enabled is another matter. */
export function changeOf({ state, text }: PreviousUnit, wanted: string): Installed['change'] {
  if (text === undefined) return 'created'
  return text === wanted && state.load === 'loaded' && !state.isOutdated ? 'unchanged' : 'updated'
}

/**
 * Has systemd start the unit, and proves that it runs.
 *
 * @param isRunning whether the unit runs already, by the text that it should have
 */
export function startSteps(
  { control, names }: Installation,
  options: StartOptions,
  isRunning: () => boolean,
): Action<Started> {
  let watched: Started | undefined
  let started: Started
  return {
    steps: [
      {
        title: 'Ask systemd to start it',
        run: async () => (isRunning() ? { skipped: 'it runs' } : control.restart()),
      },
      { ...stabilise(options.stableMs), run: async () => void (watched = await watch(control, options)) },
      { title: VERIFY, run: async () => void (started = await verify(control, names, watched)) },
    ],
    result: () => started,
  }
}
