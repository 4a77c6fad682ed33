import { ConnectError } from '../../errors.ts'
import { tryLock } from '../../files/lock.ts'
import type { Instance } from '../../config/instance.ts'
import { findAgent, removeAgentRecord, type Finding } from '../../process/agent-record.ts'
import { identify } from '../../process/identity.ts'
import { describeExit, spawnDetached, type Exit } from '../../process/spawn-detached.ts'
import { terminate, type Termination } from '../../process/terminate.ts'
import { waitFor } from '../../process/wait.ts'
import type { Daemon, Platform, PlatformContext, PlatformStatus, Started, StartOptions } from '../platform.ts'

/** Keeps the agent as a detached process, found again by the record that it writes of itself. */
export class BackgroundPlatform implements Platform {
  readonly #instance: Instance

  constructor({ instance }: PlatformContext) {
    this.#instance = instance
  }

  async install(): Promise<void> {
    throw new ConnectError('INSTALL_UNSUPPORTED', 'A background process can’t be installed')
  }

  async uninstall(): Promise<boolean> {
    return false
  }

  async start(daemon: Daemon, { isReady, stableMs }: StartOptions): Promise<Started> {
    const child = await spawnDetached({
      ...daemon,
      env: { ...daemon.env, CONNECT_SUPERVISOR: 'background' },
    })
    let exit: Exit | undefined
    void child.exited.then((ended) => (exit = ended))
    const outcome = await waitFor(async () => exit ?? ((await isReady(child.pid)) ? 'ready' : undefined), {
      timeoutMs: stableMs,
    })
    if (outcome !== undefined && outcome !== 'ready') {
      throw new ConnectError('DAEMON_FAILED', `Daemon failed to start: Process ${describeExit(outcome)}`)
    }
    if (!identify(child.pid))
      throw new ConnectError('DAEMON_FAILED', 'Daemon failed to start: Process is gone')
    return { pid: child.pid, ready: outcome === 'ready' }
  }

  async stop(): Promise<Termination | undefined> {
    const found = findAgent(this.#instance)
    if (found.state !== 'running' || found.record.mode !== 'daemon') {
      await this.#cleanUp(found)
      return undefined
    }
    const termination = await terminate(found.record)
    await this.#cleanUp(findAgent(this.#instance))
    return termination
  }

  async status(): Promise<PlatformStatus> {
    const found = findAgent(this.#instance)
    if (found.state !== 'running') {
      return { state: 'stopped', installed: false, cleanedUp: await this.#cleanUp(found) }
    }
    const { pid, startedAt, mode } = found.record
    if (mode === 'foreground') return { state: 'stopped', installed: false, foregroundPid: pid }
    return { state: 'running', installed: false, pid, startedAt }
  }

  /** Only under the agent's own lock: one that is just starting may be writing these files anew. */
  async #cleanUp({ state }: Finding): Promise<boolean> {
    if (state !== 'stale') return false
    const lock = await tryLock(this.#instance.lockFile)
    if (!lock) return false
    try {
      if (findAgent(this.#instance).state !== 'stale') return false
      removeAgentRecord(this.#instance)
      return true
    } finally {
      lock.release()
    }
  }
}
