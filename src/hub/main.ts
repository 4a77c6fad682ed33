import { absentData, isDataAbsent } from '../config/hub/absent-data.ts'
import { hubInstance } from '../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../config/hub/hub-settings.ts'
import { servingOf } from '../config/hub/serving.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import type { OwnerOptions } from '../kept/owner.ts'
import { runKept, type Kept } from '../kept/run-kept.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { insecureWarning } from './insecure-warning.ts'
import { runHub } from './run-hub.ts'

/** How often it is looked for data that is not there, in ms. */
const DATA_LOOK_MS = 1000

/**
 * The kept-alive hub, as a platform starts it: `connect hub` with CONNECT_DAEMON=1. What it is to be run with
 * it reads from the settings, so that the command line never changes. It bypasses the CLI, as the agent does.
 */
export async function runKeptHub(version: string): Promise<void> {
  await runKept(() => {
    const settings = settingsOr()
    const instance = hubInstance(settings instanceof Error ? {} : settings)
    ensurePrivateFolder(instance.folder)
    const run: Kept['run'] = async (options, signal) => {
      if (settings instanceof Error) throw settings
      const { log } = options
      log('🚀 Starting Private Connect Hub...')
      await waitForData(settings, options, signal)
      if (signal.aborted) return
      const serving = servingOf(settings)
      const warning = insecureWarning(serving)
      if (warning !== undefined) log(warning, 'warn')
      const onListening = ({ address }: { address: string }) => log(`[ok] Hub listening on ${address}`)
      await runHub({ ...options, instance, version, serving, onListening }, signal)
    }
    return { instance, run }
  })
}

/**
 * A disk may be mounted a moment after users’ services are started, or by hand: nobody would start the hub
 * then, but a service manager that starts it again and again. Nothing is made meanwhile.
 *
 * @throws ConnectError HUB_DATA_ABSENT where nobody would wait for it
 */
async function waitForData(
  settings: HubSettings,
  { log, waitForOthers }: Pick<OwnerOptions, 'log' | 'waitForOthers'>,
  signal: AbortSignal,
): Promise<void> {
  if (!isDataAbsent(settings)) return
  const error = absentData(hubInstance(settings).dataFolder)
  if (!waitForOthers) throw error
  for (const line of [`[!] ${error.message}. Waiting for it`, ...error.hints.map((hint) => `  ${hint}`)])
    log(line, 'warn')
  const isThere = () => (isDataAbsent(settings) ? undefined : true)
  await waitFor(isThere, { timeoutMs: Number.POSITIVE_INFINITY, everyMs: DATA_LOOK_MS, signal })
}

/** What keeps them from being read is told in the log, which is where it would be without any. */
function settingsOr(): HubSettings | Error {
  try {
    return readHubSettings() ?? {}
  } catch (error) {
    return error as Error
  }
}
