import { hubInstance } from '../config/hub/hub-instance.ts'
import { readHubSettings, type HubSettings } from '../config/hub/hub-settings.ts'
import { servingOf } from '../config/hub/serving.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { runKept, type Kept } from '../kept/run-kept.ts'
import { insecureWarning } from './insecure-warning.ts'
import { runHub } from './run-hub.ts'

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
      const serving = servingOf(settings)
      const warning = insecureWarning(serving)
      if (warning !== undefined) log(warning, 'warn')
      const onListening = ({ address }: { address: string }) => log(`[ok] Hub listening on ${address}`)
      await runHub({ ...options, instance, version, serving, onListening }, signal)
    }
    return { instance, run }
  })
}

/** What keeps them from being read is told in the log, which is where it would be without any. */
function settingsOr(): HubSettings | Error {
  try {
    return readHubSettings() ?? {}
  } catch (error) {
    return error as Error
  }
}
