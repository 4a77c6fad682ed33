import { hubInstance, type HubInstance } from '../../config/hub/hub-instance.ts'
import { readHubSettings } from '../../config/hub/hub-settings.ts'
import { findProcess } from '../../control/find-process.ts'
import { ConnectError } from '../../errors.ts'
import { tilde } from '../../text/tilde.ts'

/**
 * Before a hub begins in the foreground: none may run on its data already. Where that can't be told, its lock
 * tells.
 *
 * @throws ConnectError HUB_RUNNING
 */
export async function refuseBesideHub(instance: HubInstance): Promise<void> {
  const found = await findProcess(instance)
  if (found.state !== 'running') return
  const { mode, pid } = found.agent
  const how = mode === 'daemon' ? 'is kept running' : 'runs in the foreground'
  throw new ConnectError(
    'HUB_RUNNING',
    `A hub ${how} on ${tilde(instance.dataFolder)} already (PID: ${pid})`,
    {
      hints: [
        'See how it stands: connect hub status',
        'For another one beside it give another --data-dir and --listen.',
      ],
    },
  )
}

/**
 * Before the hub is started or installed: one that is kept on other data goes on with that.
 *
 * @throws ConnectError HUB_RUNNING
 */
export async function refuseOtherFolder({ dataFolder }: HubInstance): Promise<void> {
  const saved = hubInstance(readHubSettings())
  if (saved.dataFolder === dataFolder) return
  const found = await findProcess(saved)
  if (found.state !== 'running' || found.agent.mode !== 'daemon') return
  const does = found.waitsFor === undefined ? 'runs on' : 'waits for'
  const message = `The hub ${does} ${tilde(saved.dataFolder)} (PID: ${found.agent.pid})`
  throw new ConnectError('HUB_RUNNING', message, {
    hints: ['To give it another data folder, stop it first: connect hub stop'],
  })
}
