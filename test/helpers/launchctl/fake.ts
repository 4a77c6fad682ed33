import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { SeenJob } from './domains.ts'
import type { Switches } from './switches.ts'

/**
 * Why these tests don’t run on a Mac: it has a launchd, and that one is tested in
 * test/platforms/conformance/launchd.test.ts.
 */
export const FAKE_RUNS_HERE = process.platform === 'linux'

/**
 * A launchd that stands for the real one, with a `launchctl` that leads to it, and switches for what goes
 * wrong.
 */
export class FakeLaunchd {
  /** Begins PATH with the folder of its launchctl, and has that platform picked. */
  readonly env: NodeJS.ProcessEnv
  readonly #folder: string
  readonly #keeper: ChildProcess
  readonly #pending = new Map<number, (answer: unknown) => void>()
  #lastId = 0

  private constructor(folder: string, keeper: ChildProcess) {
    this.#folder = folder
    this.#keeper = keeper
    this.env = { PATH: `${path.join(folder, 'bin')}:${process.env.PATH}`, CONNECT_PLATFORM: 'launchd' }
    keeper.on('message', ({ id, answer }: { id: number; answer: unknown }) => {
      this.#pending.get(id)?.(answer)
      this.#pending.delete(id)
    })
  }

  /** @param home of the user, as the user database has it */
  static async start(home: string, switches: Partial<Switches> = {}): Promise<FakeLaunchd> {
    const folder = realpathSync(mkdtempSync(path.join(tmpdir(), 'pc-launchd-')))
    for (const name of ['bin', 'calls']) mkdirSync(path.join(folder, name))
    const launchctl = path.join(folder, 'bin', 'launchctl')
    copyFileSync(path.join(import.meta.dirname, 'launchctl.sh'), launchctl)
    chmodSync(launchctl, 0o755)
    const keeper = fork(path.join(import.meta.dirname, 'launchd.ts'), [folder, home], {
      // Not with the test runner's own.
      execArgv: [],
      env: { PATH: process.env.PATH },
      // A job must not hold the runner's pipes.
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    })
    await once(keeper, 'message')
    const fake = new FakeLaunchd(folder, keeper)
    await fake.set(switches)
    return fake
  }

  async set(switches: Partial<Switches>): Promise<void> {
    await this.#ask({ verb: 'set', switches })
  }

  async jobs(): Promise<readonly SeenJob[]> {
    return (await this.#ask({ verb: 'jobs' })) as SeenJob[]
  }

  /** What launchctl was asked since the last time. */
  async log(): Promise<readonly string[]> {
    return (await this.#ask({ verb: 'log' })) as string[]
  }

  /** launchctl, past all switches that keep it from answering. */
  async launchctl(...words: string[]): Promise<unknown> {
    return this.#ask({ verb: 'call', words })
  }

  async login(): Promise<void> {
    await this.#ask({ verb: 'login' })
  }

  async logout(): Promise<void> {
    await this.#ask({ verb: 'logout' })
  }

  async close(): Promise<void> {
    const exited = this.#keeper.exitCode === null ? once(this.#keeper, 'exit') : undefined
    await this.#ask({ verb: 'close' })
    await exited
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #ask(message: object): Promise<unknown> {
    const id = ++this.#lastId
    return new Promise((resolve) => {
      this.#pending.set(id, resolve)
      this.#keeper.send({ id, ...message })
    })
  }
}
