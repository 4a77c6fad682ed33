import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { mkdtempSync, realpathSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { instanceFor, type Instance } from '../../../../src/config/instance.ts'
import { drive, stepless } from '../../../../src/platforms/conformance/harness/drive.ts'
import { LaunchdPlatform } from '../../../../src/platforms/launchd/launchd.ts'
import { jobNames, type JobNames } from '../../../../src/platforms/launchd/manager/names.ts'
import type { Timing } from '../../../../src/platforms/launchd/manager/launchctl.ts'
import type { Daemon, StartOptions } from '../../../../src/platforms/platform.ts'
import { identify } from '../../../../src/process/identity.ts'
import { FakeLaunchd } from '../../../helpers/launchctl/fake.ts'
import type { Switches } from '../../../helpers/launchctl/switches.ts'

/** What it does from its next start on: live until SIGTERM, live on after it, or end at once. */
export type Behaviour = 'good' | 'stubborn' | `exit ${number}`

/** ExitTimeOut is 5 s; the rest as long as a slow machine may need. */
const BRISK: Timing = {
  askMs: 2000,
  actMs: 500,
  exitMs: 500,
  slackMs: 3000,
  totalMs: 9000,
  rollbackMs: 5000,
  pollMs: 50,
}

/** A platform of its own on a launchd of its own, and a small program in the place of the agent. */
export class Rig {
  readonly home: string
  readonly fake: FakeLaunchd
  readonly instance: Instance
  readonly names: JobNames
  readonly env: NodeJS.ProcessEnv
  readonly #program: string

  private constructor(home: string, fake: FakeLaunchd) {
    this.home = home
    this.fake = fake
    this.env = { ...fake.env, HOME: home }
    this.instance = instanceFor(undefined, home)
    this.names = jobNames({ instance: this.instance, env: this.env })
    mkdirSync(this.instance.folder, { mode: 0o700 })
    this.#program = path.join(home, 'agent')
    writeFileSync(this.#program, SCRIPT, { mode: 0o755 })
    this.behave('good')
  }

  static async start(switches: Partial<Switches> = {}): Promise<Rig> {
    const home = realpathSync(mkdtempSync(path.join(tmpdir(), 'pc-')))
    return new Rig(home, await FakeLaunchd.start(home, { exitScale: 0.1, throttleScale: 0.02, ...switches }))
  }

  async close(): Promise<void> {
    await this.fake.close()
    rmSync(this.home, { recursive: true, force: true })
  }

  /** A platform of its own, as each command has, of which each action runs all its steps. */
  platform(timing: Partial<Timing> = {}, env: NodeJS.ProcessEnv = {}) {
    const platform = this.inSteps(timing, env)
    return {
      ...stepless(platform),
      plan: (daemon: Daemon) => platform.plan(daemon),
      install: (daemon: Daemon, options: StartOptions) => drive(() => platform.install(daemon, options)),
      uninstall: () => drive(() => platform.uninstall()),
      restart: (daemon: Daemon, options: StartOptions) => drive(() => platform.restart(daemon, options)),
      stop: () => drive(() => platform.stop()),
    }
  }

  inSteps(timing: Partial<Timing> = {}, env: NodeJS.ProcessEnv = {}): LaunchdPlatform {
    const context = { instance: this.instance, env: { ...this.env, ...env } }
    return new LaunchdPlatform(context, { ...BRISK, ...timing })
  }

  /** @param version something that the plist of another version would have differently */
  daemon(version = 'first', program = this.#program): Daemon {
    return {
      command: [program, version],
      env: { HOME: this.home },
      cwd: this.home,
      logFile: this.instance.logFile,
    }
  }

  /** It counts as started once it has come to its last line. */
  readonly options: StartOptions = {
    isReady: async (pid) => this.#linesOf('ready').includes(String(pid)),
    stableMs: 1000,
  }

  behave(behaviour: Behaviour): void {
    writeFileSync(path.join(this.home, 'behaviour'), behaviour)
  }

  /** Every process of the program that was ever started, and what it was started with. */
  starts(): { readonly pid: number; readonly version: string }[] {
    return this.#linesOf('starts').flatMap((line) => {
      const [, pid, version] = /^(\d+) (.*)$/.exec(line) ?? []
      return pid === undefined ? [] : [{ pid: Number(pid), version: version! }]
    })
  }

  /** Those that live. */
  alive(): number[] {
    return [...new Set(this.starts().map(({ pid }) => pid))].filter((pid) => this.isOurs(pid))
  }

  /** Numbers are used again, and it starts thousands: another process has another home. */
  isOurs(pid: number): boolean {
    if (!identify(pid)) return false
    try {
      return readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${this.home}`)
    } catch {
      // It ended meanwhile.
      return false
    }
  }

  #linesOf(name: string): string[] {
    const file = path.join(this.home, name)
    return existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []
  }

  /** What launchd has, the process table, and the plist. */
  async state(): Promise<{
    jobs: { domain: string; pid: number | null }[]
    alive: number[]
    plist: boolean
  }> {
    const jobs = await this.fake.jobs()
    return {
      jobs: jobs.map(({ domain, pid }) => ({ domain, pid })),
      alive: this.alive(),
      plist: existsSync(this.names.file),
    }
  }
}

const SCRIPT = `#!/bin/sh
cd "\${0%/*}" || exit
echo "$$ $1" >>starts
read -r behaviour <behaviour
case $behaviour in
  exit*) $behaviour ;;
  stubborn) trap '' TERM ;;
esac
echo "$$" >>ready
exec sleep 3600
`
