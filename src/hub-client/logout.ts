import { ensureInstanceFolder, hubOf, type Config } from '../config/config.ts'
import { releaseInstanceName } from '../config/claimed-names.ts'
import type { Instance } from '../config/instance.ts'
import { takeInstanceLock } from '../control/instance-lock.ts'
import { findProcess } from '../control/find-process.ts'
import { ConnectError } from '../errors.ts'
import { removeFile } from '../files/remove-file.ts'
import { Signer } from './credential.ts'
import { HubClient } from './hub-client.ts'

/**
 * Leaves the hub, and forgets this machine's credential.
 *
 * @returns why the hub could not be told; undefined if it has forgotten this machine too
 * @throws ConnectError AGENT_RUNNING, WRITE_FAILED, or what hubOf throws
 */
export async function logout(instance: Instance, config: Config): Promise<ConnectError | undefined> {
  ensureInstanceFolder(instance)
  const found = await findProcess(instance)
  const lock = found.state === 'running' ? undefined : await takeInstanceLock(instance)
  if (!lock) {
    const isForeground = found.state === 'running' && found.agent.mode === 'foreground'
    throw new ConnectError('AGENT_RUNNING', 'An agent is running with this credential', {
      hints: [isForeground ? 'End it with Ctrl-C where it runs.' : 'Run: connect daemon stop'],
    })
  }
  try {
    const untold = await leave({ ...config, hub: hubOf(config) })
    removeFile(instance.configFile)
    releaseInstanceName(instance)
    return untold
  } finally {
    lock.release()
  }
}

/** A hub that can't be told keeps a public key that nobody can use any more. */
async function leave(config: Config): Promise<ConnectError | undefined> {
  try {
    await new HubClient(config).leave(new Signer(config))
    return undefined
  } catch (error) {
    if (error instanceof ConnectError) return error
    throw error
  }
}
