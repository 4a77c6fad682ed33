import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { requireConfig, writeConfig } from '../../../config/config.ts'
import { hubInstance } from '../../../config/hub/hub-instance.ts'
import { writeHubSettings } from '../../../config/hub/hub-settings.ts'
import { instanceFor, type Instance } from '../../../config/instance.ts'
import { spawnDetached } from '../../../process/spawn-detached.ts'
import { withDeadline } from '../../../runtime/deadline.ts'
import { bounded } from './bounded.ts'
import { FakeAgent } from './fake-agent.ts'
import type { ConformanceOptions } from './options.ts'
import { plainEnvironment, runJs, type TestHub } from './test-hub.ts'
import { TestInstance } from './test-instance.ts'

/** How long a killed process may take to be gone, in ms. */
const END_MS = 30_000

/** What an instance of the suite has to itself. */
interface Own {
  readonly instance: Instance
  readonly home: string
  /** What its process runs. */
  readonly program: string
  /** What only the command lines of its processes hold. */
  readonly mark: string
}

/**
 * What one check works with: a throw-away home folder, and what is started in it. It all ends with the check.
 */
export class Sandbox {
  readonly options: ConformanceOptions
  readonly installable: boolean
  readonly home: string
  readonly #hub: TestHub | undefined
  readonly #base: string
  readonly #instances: TestInstance[] = []
  readonly #strangers: { pid: number; exited: Promise<unknown>; gone: boolean }[] = []

  constructor(hub: TestHub | undefined, options: ConformanceOptions, homeName = 'home') {
    this.#hub = hub
    this.options = options
    this.installable = options.installable ?? true
    // Short: a Unix socket's path may have 107 bytes.
    this.#base = realpathSync(mkdtempSync(path.join(tmpdir(), 'pc-')))
    this.home = path.join(this.#base, homeName)
    mkdirSync(this.home)
  }

  /** By this an agent says that it must not be started again. */
  get fatalExitCode(): number {
    return this.options.fatalExitCode ?? 78
  }

  /** The folders that the platform may write into. */
  get watched(): readonly string[] {
    return [this.home, ...(this.options.writesTo ?? [])]
  }

  /**
   * An instance of its own.
   *
   * @param options.joined whether it has a credential; default true
   * @param options.env beside what every platform gets
   */
  async instance(options: { joined?: boolean; env?: NodeJS.ProcessEnv } = {}): Promise<TestInstance> {
    const number = this.#instances.length
    const { joined = true } = options
    const kept = this.options.kind === 'hub' ? this.#hubNumber(number) : this.#agent()
    const { instance } = kept
    const env = { ...plainEnvironment(kept.home), ...this.options.env, ...options.env }
    const context = { instance, env }
    const { description } = this.options
    const { apiVersion, name: called } = description
    const platform = bounded(instance, {
      apiVersion,
      name: called,
      platform: await description.load(context),
    })
    const tested = new TestInstance({
      context,
      platform,
      hubUrl: this.#hub?.url,
      program: kept.program,
      mark: kept.mark,
      installable: this.installable,
    })
    this.#instances.push(tested)
    if (joined && this.#hub) await this.#hub.join(instance, number)
    if (joined && instance.kind === 'hub') writeHubSettings({ listen: '127.0.0.1:0' }, kept.home)
    return tested
  }

  #agent(): Own {
    const file = path.join(this.home, '.privateconnect', `${ownName()}.json`)
    return { instance: instanceFor(file, this.home), home: this.home, program: runJs, mark: file }
  }

  /** A home has one hub, and a service manager may start it with another HOME. */
  #hubNumber(number: number): Own {
    const home = number === 0 ? this.home : path.join(this.home, `home-${number}`)
    const name = ownName()
    // Node.js runs no module from a folder with a backslash in its name, as a home may have.
    const { program } = new FakeAgent(path.join(this.#base, `program-${number}`), { runJs, home })
    return { instance: { ...hubInstance({}, home), name, stem: name }, home, program, mark: this.#base }
  }

  /** Makes an instance believe that its hub is elsewhere. */
  moveHub({ instance }: TestInstance, hub: string): void {
    writeConfig(instance, { ...requireConfig(instance), hub })
  }

  fakeAgent(): FakeAgent {
    return new FakeAgent(path.join(this.home, 'stand-in'), { runJs, home: this.home })
  }

  /** A process that has nothing to do with any agent. */
  async stranger(): Promise<{ readonly pid: number; readonly gone: boolean }> {
    const child = await spawnDetached({
      command: [process.execPath, '-e', 'setInterval(() => {}, 60_000)'],
      env: plainEnvironment(this.home),
      cwd: this.home,
      logFile: path.join(this.#base, 'stranger.log'),
    })
    const stranger = { ...child, gone: false }
    void child.exited.then(() => (stranger.gone = true))
    this.#strangers.push(stranger)
    return stranger
  }

  /** Ends and removes all of it. @returns what could not be ended as it should */
  async end(): Promise<Error[]> {
    const errors: Error[] = []
    const attempt = async (what: string, work: () => unknown) => {
      try {
        await work()
      } catch (error) {
        errors.push(new Error(`Could not clean up: ${what} failed: ${String(error)}`, { cause: error }))
      }
    }
    for (const tested of this.#instances.toReversed()) {
      const { platform, context } = tested
      if (this.installable) await attempt('uninstall()', () => platform.uninstall())
      await attempt('stop()', () => platform.stop())
      await attempt('cleanUp()', () => this.options.cleanUp?.(context))
      await attempt('looking for agents that are left', async () => {
        const left = await tested.killLeftOver()
        if (left.length > 0) throw new Error(`the process still ran (PID: ${left.join(', ')})`)
      })
    }
    for (const stranger of this.#strangers.filter(({ gone }) => !gone)) {
      await attempt('ending a stranger', () => ended(stranger))
    }
    rmSync(this.#base, { recursive: true, force: true, maxRetries: 5 })
    return errors
  }
}

/**
 * Waits with a deadline, which keeps this process alive until then: the process that is waited for does not.
 */
function ended({ pid, exited }: { pid: number; exited: Promise<unknown> }): Promise<unknown> {
  process.kill(pid, 'SIGKILL')
  return withDeadline(
    () => exited,
    END_MS,
    () => new Error(`process ${pid} outlives SIGKILL`),
  )
}

/** Nobody else's job has this name, should the service manager be the user's own. */
function ownName(): string {
  return `conformance-${randomBytes(4).toString('hex')}`
}
