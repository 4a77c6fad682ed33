import { absentData, isDataAbsent } from '../config/hub/absent-data.ts'
import { hubInstance, type HubInstance } from '../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../config/hub/hub-settings.ts'
import { servingOf } from '../config/hub/serving.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { removeProcessRecord } from '../control/process-record.ts'
import { runOwner, type OwnerOptions } from '../kept/owner.ts'
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
      const owner = await waitForData(settings, { ...options, instance, version }, signal)
      if (signal.aborted) return
      const serving = servingOf(settings)
      const warning = insecureWarning(serving)
      if (warning !== undefined) log(warning, 'warn')
      const onListening = ({ address }: { address: string }) => log(`[ok] Hub listening on ${address}`)
      await runHub({ ...owner, serving, onListening }, signal)
    }
    return { instance, run }
  })
}

interface HubOwner extends OwnerOptions {
  readonly instance: HubInstance
}

/**
 * A disk may be mounted a moment after users’ services are started, or by hand: nobody would start the hub
 * then, but a service manager that starts it again and again. Nothing is made there meanwhile; that it waits
 * is recorded beside its settings, so that it is found, and can be stopped.
 *
 * @returns the owner of the data that is there now
 * @throws ConnectError HUB_DATA_ABSENT where nobody would wait for it; as runOwner
 */
async function waitForData(settings: HubSettings, owner: HubOwner, signal: AbortSignal): Promise<HubOwner> {
  const { instance, log, waitForOthers } = owner
  const { waiting } = instance
  if (!waiting || !isDataAbsent(settings)) return owner
  const error = absentData(instance.dataFolder)
  if (!waitForOthers) throw error
  for (const line of [`[!] ${error.message}. Waiting for it`, ...error.hints.map((hint) => `  ${hint}`)])
    log(line, 'warn')
  const isThere = () => (isDataAbsent(settings) ? undefined : true)
  const options = { timeoutMs: Number.POSITIVE_INFINITY, everyMs: DATA_LOOK_MS }
  const { onOwner, ...waiter } = { ...owner, instance: waiting }
  await runOwner(waiter, signal, async () => ({
    hold: async () => {},
    run: async (stop) => void (await waitFor(isThere, { ...options, signal: stop })),
    close: async () => {},
  }))
  return {
    ...owner,
    onOwner(record) {
      // Not before: it could not be found meanwhile.
      removeProcessRecord(waiting)
      onOwner?.(record)
    },
  }
}

/** What keeps them from being read is told in the log, which is where it would be without any. */
function settingsOr(): HubSettings | Error {
  try {
    return readHubSettings() ?? {}
  } catch (error) {
    return error as Error
  }
}
