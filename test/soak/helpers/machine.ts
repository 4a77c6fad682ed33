import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import { instanceFor, type AgentInstance } from '../../../src/config/instance.ts'
import { readServices, type ExposedService } from '../../../src/config/services.ts'
import { readProcessRecord } from '../../../src/control/process-record.ts'
import { findProcess } from '../../../src/control/find-process.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { StartReport } from '../../../src/tasks/start.ts'
import type { DaemonStatus } from '../../../src/tasks/status.ts'
import { connectOk } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { agentsOf } from './agents.ts'

/** A machine whose programs are killed, and what must hold of it whenever that was. */
export class Machine {
  readonly home: Home
  readonly instance: AgentInstance
  readonly hubUrl: string
  readonly token: string

  constructor(home: Home, hubUrl: string, token: string) {
    this.home = home
    this.instance = instanceFor(undefined, home.folder)
    this.hubUrl = hubUrl
    this.token = token
  }

  get isLoggedIn(): boolean {
    return existsSync(this.instance.configFile)
  }

  /** The environment and the arguments of `connect login` here. */
  get login(): { readonly args: readonly string[]; readonly env: NodeJS.ProcessEnv } {
    return {
      args: ['login', '--hub', this.hubUrl, '--label', 'home'],
      env: { PRIVATECONNECT_TOKEN: this.token },
    }
  }

  services(): ExposedService[] {
    return readServices(this.instance)
  }

  /** Brings it to where an action can begin: whatever was killed before, the commands for that work. */
  async bringTo(wanted: { loggedIn: boolean; running?: boolean }): Promise<void> {
    if (!wanted.loggedIn || wanted.running === false) await this.stop()
    if (!wanted.loggedIn && this.isLoggedIn) await connectOk(this.home, ['logout'])
    if (wanted.loggedIn && !this.isLoggedIn) await connectOk(this.home, this.login.args, this.login)
    if (wanted.running) await this.start()
  }

  async start(): Promise<void> {
    const report = JSON.parse(await connectOk(this.home, ['daemon', 'start', '--json'])) as StartReport
    // One that was running already may still be on its way.
    if (report.outcome === 'started') expect(report.hub?.state, JSON.stringify(report)).toBe('connected')
    expect(agentsOf(this.home)).toEqual([report.pid])
  }

  async stop(): Promise<void> {
    const running = agentsOf(this.home)
    const { stopped } = JSON.parse(await connectOk(this.home, ['daemon', 'stop', '--json'])) as {
      stopped: string | null
    }
    expect({ running, stopped }).toEqual({ running, stopped: running.length === 0 ? null : 'exited' })
    expect(agentsOf(this.home)).toEqual([])
    expect(existsSync(this.instance.pidFile)).toBe(false)
  }

  /**
   * Waits until nothing comes up or goes down any more: at most one agent, and it is the one that is found.
   */
  async settled(): Promise<number | undefined> {
    const look = async () => {
      const alive = agentsOf(this.home)
      const found = await findProcess(this.instance)
      const known = found.state === 'running' ? [found.agent.pid] : []
      return alive.join() === known.join() && found.state !== 'unknown' ? alive : undefined
    }
    const twice = async () => {
      const first = await look()
      // A program that was just forked becomes the agent a moment later.
      await sleep(150)
      const second = await look()
      return first && second && first.join() === second.join() ? second : undefined
    }
    const alive = await waitFor(twice, { timeoutMs: 30_000 })
    if (alive === undefined)
      throw new Error(
        `agents ${agentsOf(this.home).join()}, but ${JSON.stringify(await findProcess(this.instance))}`,
      )
    expect(alive.length).toBeLessThanOrEqual(1)
    return alive[0]
  }

  async status(): Promise<DaemonStatus> {
    return JSON.parse(await connectOk(this.home, ['daemon', 'status', '--json'])) as DaemonStatus
  }

  /** Every file is whole, or not there. */
  checkFiles(): void {
    // They throw if there is a file that is not what we write.
    readConfig(this.instance)
    readServices(this.instance)
    const { recordFile, pidFile } = this.instance
    if (existsSync(recordFile))
      expect(readProcessRecord(this.instance), readFileSync(recordFile, 'utf8')).toBeDefined()
    if (existsSync(pidFile)) expect(readFileSync(pidFile, 'utf8')).toMatch(/^\d+\n$/)
  }

  /** What killed writers have left behind. */
  leftovers(): string[] {
    const { folder } = this.instance
    return readdirSync(folder)
      .filter((name) => name.endsWith('.tmp'))
      .map((name) => path.join(folder, name))
  }
}
