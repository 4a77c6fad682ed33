import type { HubInstance } from '../config/hub/hub-instance.ts'
import type { Serving } from '../config/hub/serving.ts'
import type { InstanceProcess } from '../control/process-record.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { runOwner, type OwnerOptions } from '../kept/owner.ts'
import type { Work } from '../kept/work.ts'
import type { Log } from '../log/log.ts'
import { startHubControl } from './control/server.ts'
import { startHub, type Hub } from './server.ts'

export interface RunHubOptions extends OwnerOptions {
  readonly instance: HubInstance
  readonly serving: Serving
  /** It listens. */
  readonly onListening: (hub: Hub) => void
}

/** How long a hub that is kept waits for a port that a process before it may still hold, in ms. */
const PORT_PATIENCE_MS = 1000

/**
 * The hub: owns its data folder, listens, and answers on its socket, until the signal says stop.
 *
 * @param signal its reason is the name of the signal that said stop
 * @throws ConnectError HUB_RUNNING if another one runs on the folder, BAD_CERTIFICATE, PORT_IN_USE,
 * CANNOT_LISTEN, HUB_DATA_DAMAGED, WRITE_FAILED
 */
export async function runHub(options: RunHubOptions, signal: AbortSignal): Promise<void> {
  ensurePrivateFolder(options.instance.dataFolder)
  await runOwner(options, signal, (identity) => begin(options, identity))
}

async function begin(options: RunHubOptions, identity: InstanceProcess): Promise<Work> {
  const { serving, mode, version } = options
  const log = byLevel(options.log)
  const portPatienceMs = mode === 'daemon' ? PORT_PATIENCE_MS : 0
  const hub = await startHub({ ...serving, portPatienceMs, version, log })
  const asked = { ...hub, status: () => ({ agent: identity, ...hub.status() }) }
  const control = await startHubControl(options.instance.socketPath, asked, log)
  options.onListening(hub)
  return {
    hold: () => control.look(),
    run: (signal) => Promise.race([aborted(signal), hub.failed]),
    async close() {
      await control.close()
      await hub.close()
    },
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    else signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** A hub says by the mark at the start of a line how bad it is. */
function byLevel(log: Log): (line: string) => void {
  return (line) => log(line, line.startsWith('[x]') ? 'error' : line.startsWith('[!]') ? 'warn' : 'info')
}
