import { fork, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { until } from '../until.ts'
import type { Order, Report } from '../../fixtures/programs/fail-calls.ts'
import { root, runJs } from '../cli.ts'
import type { Home } from '../home.ts'

const PRELOAD = path.join(root, 'test', 'fixtures', 'programs', 'fail-calls.ts')

/** The built program, whose calls of the system fail when a test says so. */
export class Faulty {
  output = ''
  readonly exited: Promise<unknown>
  readonly #child: ChildProcess
  #id = 0

  private constructor(child: ChildProcess) {
    this.#child = child
    for (const stream of [child.stdout, child.stderr])
      stream?.setEncoding('utf8').on('data', (text: string) => (this.output += text))
    this.exited = once(child, 'close')
  }

  /** @param first what fails as it starts */
  static async start(
    home: Home,
    args: readonly string[],
    env: NodeJS.ProcessEnv = {},
    first: Omit<Order, 'id'> = {},
  ): Promise<Faulty> {
    mkdirSync(home.folder, { recursive: true })
    const options = { NODE_OPTIONS: `--import=${PRELOAD}`, FAIL_FIRST: JSON.stringify({ id: 0, ...first }) }
    const child = fork(runJs, args, {
      cwd: home.folder,
      env: { ...home.env, ...options, ...env },
      execArgv: [],
      silent: true,
    })
    const faulty = new Faulty(child)
    await once(child, 'message')
    return faulty
  }

  get isAlive(): boolean {
    return this.#child.exitCode === null && this.#child.signalCode === null
  }

  /** How it ended. */
  get end(): string {
    return String(this.#child.exitCode ?? this.#child.signalCode)
  }

  /** Waits until that is so, or it has ended. */
  async until(what: () => boolean): Promise<void> {
    await until(() => !this.isAlive || what(), { everyMs: 20 })
    await this.settled()
  }

  /** All that it has printed is here, if it has ended. */
  async settled(): Promise<void> {
    if (!this.isAlive) await this.exited
  }

  /**
   * Has a call fail from now on, or none. @returns what was called until now; undefined if the program is
   * gone
   */
  async order(order: Omit<Order, 'id'> = {}): Promise<Report | undefined> {
    const id = ++this.#id
    const reported = new Promise<Report>((resolve) => {
      const take = (report: Report) => {
        if (report.id !== id) return
        this.#child.off('message', take)
        resolve(report)
      }
      this.#child.on('message', take)
    })
    if (!this.isAlive) return undefined
    this.#child.send({ id, ...order } satisfies Order, () => {})
    return Promise.race([reported, this.exited.then(() => undefined)])
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.isAlive) this.#child.kill(signal)
    await this.exited
  }
}
