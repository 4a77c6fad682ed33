import { readFileSync } from 'node:fs'
import type { Instance } from '../../../config/instance.ts'
import { agentStatus, identityOf } from '../../../control/client.ts'
import { identify, isAlive, type ProcessIdentity } from '../../../process/identity.ts'
import type { Daemon, Installed, PlatformContext, PlatformStatus, Started } from '../../platform.ts'
import { assert, eventually } from './assert.ts'
import type { BoundedPlatform } from './bounded.ts'
import { commandLineOf } from './command-line.ts'

/** One instance that the platform under test is to keep alive. */
export class TestInstance {
  readonly context: PlatformContext
  readonly instance: Instance
  readonly platform: BoundedPlatform
  readonly hubUrl: string | undefined
  readonly #program: string
  readonly #mark: string
  readonly #installable: boolean
  /** Every agent that was seen, so that none is left behind. */
  readonly #seen = new Map<number, ProcessIdentity>()

  constructor(options: {
    context: PlatformContext
    platform: BoundedPlatform
    hubUrl: string | undefined
    program: string
    mark: string
    installable: boolean
  }) {
    this.context = options.context
    this.instance = options.context.instance
    this.platform = options.platform
    this.hubUrl = options.hubUrl
    this.#program = options.program
    this.#mark = options.mark
    this.#installable = options.installable
  }

  daemon(options: { program?: string; hub?: string } = {}): Daemon {
    const { program = this.#program, hub = this.hubUrl ?? '' } = options
    const { kind, configFile, logFile } = this.instance
    const words = kind === 'hub' ? ['hub'] : ['up', '--hub', hub, '--config', configFile]
    const { PRIVATECONNECT_TOKEN: _, ...env } = this.context.env
    return {
      command: [process.execPath, program, ...words],
      env: { ...env, CONNECT_DAEMON: '1' },
      cwd: String(env.HOME),
      logFile,
    }
  }

  /** Makes `start` what is left to do: installs the daemon where that can be done, and stops it. */
  async prepare(daemon: Daemon): Promise<void> {
    if (!this.#installable) return
    await this.install(daemon)
    await this.connected('install() must return once the daemon runs')
    await this.platform.stop()
  }

  install(daemon = this.daemon(), stableMs = 30_000): Promise<Installed> {
    return this.platform.install(daemon, { isReady: (pid) => this.#isReady(pid), stableMs })
  }

  start(daemon: Daemon, stableMs = 30_000): Promise<Started> {
    return this.platform.start(daemon, { isReady: (pid) => this.#isReady(pid), stableMs })
  }

  /**
   * Starts the daemon, by an installation where that can be done, and waits until it is connected.
   *
   * @returns its pid
   */
  async bringUp(daemon = this.daemon()): Promise<number> {
    if (this.#installable) await this.install(daemon)
    else await this.start(daemon)
    return this.connected()
  }

  /** Waits until the agent is connected. @returns its pid, as it says itself */
  async connected(
    promise = 'The agent must run and connect to its hub',
    options: { not?: number; timeoutMs?: number } = {},
  ): Promise<number> {
    const { not, timeoutMs = 60_000 } = options
    const ask = async () => {
      const pid = await this.#up()
      return pid === not ? undefined : pid
    }
    return eventually(promise, ask, { timeoutMs, seen: () => this.evidence() })
  }

  /** The status, which must say that the daemon runs as this process. */
  async runningAs(pid: number, when: string): Promise<PlatformStatus> {
    const status = await this.platform.status()
    assert(status.state === 'running', `status() must say running ${when}`, status)
    assert(status.pid === pid, `status() must give the agent’s own pid (${pid}) ${when}`, status)
    return status
  }

  /** @throws Error unless the status says stopped, and names no process */
  async stopped(when: string): Promise<PlatformStatus> {
    const status = await this.platform.status()
    assert(status.state === 'stopped', `status() must say stopped ${when}`, status)
    assert(status.pid === undefined, `status() must name no process ${when}`, status)
    return status
  }

  /** The pid that the agent has written down, if it has. */
  recordedPid(): number | undefined {
    try {
      const record = JSON.parse(readFileSync(this.instance.recordFile, 'utf8')) as { pid?: unknown }
      return typeof record.pid === 'number' ? record.pid : undefined
    } catch {
      return undefined
    }
  }

  /** What there is to see when something that was waited for did not come. */
  async evidence(): Promise<unknown> {
    const [up, status] = await Promise.all([
      this.#up(),
      this.platform.status().catch((error: unknown) => String(error)),
    ])
    return { up: up ?? 'none is up', status, log: this.log().slice(-1000) }
  }

  log(): string {
    try {
      return readFileSync(this.instance.logFile, 'utf8')
    } catch {
      return ''
    }
  }

  /** Ends what still runs of this instance. @returns the numbers of those that had to be killed */
  async killLeftOver(): Promise<number[]> {
    await this.#note(this.recordedPid())
    const left = [...this.#seen.values()].filter((agent) => isAlive(agent))
    for (const { pid } of left) process.kill(pid, 'SIGKILL')
    return left.map(({ pid }) => pid)
  }

  async #isReady(pid: number): Promise<boolean> {
    return (await this.#up()) === pid
  }

  /** The process that is up: an agent that is connected, a hub that answers. */
  async #up(): Promise<number | undefined> {
    await this.#note(this.recordedPid())
    try {
      if (this.instance.kind === 'hub') return (await identityOf(this.instance, 1000))?.pid
      const status = await agentStatus(this.instance, 1000)
      return status?.hub.state === 'connected' ? status.agent.pid : undefined
    } catch {
      // One that is not up yet, or hangs, may answer anything.
      return undefined
    }
  }

  /** The files may name anyone: a process is ours only if it runs from our home, or with our config. */
  async #note(pid: number | undefined): Promise<void> {
    if (pid === undefined || this.#seen.has(pid)) return
    const identity = identify(pid)
    const line = await commandLineOf(pid)
    if (identity && line?.includes(this.#mark)) this.#seen.set(pid, identity)
  }
}
