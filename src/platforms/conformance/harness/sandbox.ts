import { randomBytes } from 'node:crypto'
import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { requireConfig, writeConfig } from '../../../config/config.ts'
import { instanceFor } from '../../../config/instance.ts'
import { spawnDetached } from '../../../process/spawn-detached.ts'
import { withDeadline } from '../../deadline.ts'
import { bounded } from './bounded.ts'
import { FakeAgent } from './fake-agent.ts'
import type { ConformanceOptions } from './options.ts'
import { plainEnvironment, runJs, type TestHub } from './test-hub.ts'
import { TestInstance } from './test-instance.ts'

/** How long a killed process may take to be gone, in ms. */
const END_MS = 30_000

/**
 * What one check works with: a throw-away home folder, and what is started in it. It all ends with the check.
 */
export class Sandbox {
  readonly options: ConformanceOptions
  readonly installable: boolean
  readonly home: string
  readonly #hub: TestHub
  readonly #base: string
  readonly #instances: TestInstance[] = []
  readonly #strangers: { pid: number; exited: Promise<unknown>; gone: boolean }[] = []

  constructor(hub: TestHub, options: ConformanceOptions, homeName = 'home') {
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
    // Nobody else's job has this name, should the service manager be the user's own.
    const name = `conformance-${randomBytes(4).toString('hex')}.json`
    const instance = instanceFor(path.join(this.home, '.privateconnect', name), this.home)
    const env = { ...plainEnvironment(this.home), ...this.options.env, ...options.env }
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
      hubUrl: this.#hub.url,
      installable: this.installable,
    })
    this.#instances.push(tested)
    if (options.joined ?? true) await this.#hub.join(instance, number)
    return tested
  }

  /** Makes an instance believe that its hub is elsewhere. */
  moveHub({ instance }: TestInstance, hub: string): void {
    writeConfig(instance, { ...requireConfig(instance), hub })
  }

  fakeAgent(): FakeAgent {
    return new FakeAgent(path.join(this.home, 'stand-in'), runJs)
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
        if (left.length > 0) throw new Error(`the agent still ran (PID: ${left.join(', ')})`)
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
