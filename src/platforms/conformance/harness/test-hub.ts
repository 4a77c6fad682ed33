import { mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { requireConfig, writeConfig, type Config } from '../../../config/config.ts'
import { instanceFor, type Instance } from '../../../config/instance.ts'
import {
  describeExit,
  spawnDetached,
  type DetachedProcess,
  type Exit,
} from '../../../process/spawn-detached.ts'
import { withDeadline } from '../../../runtime/deadline.ts'
import { assert, eventually } from './assert.ts'
import { runProgram } from './run-program.ts'

/** This package's program. */
export const runJs = path.resolve(import.meta.dirname, '..', '..', '..', '..', 'bin', 'run.js')

/** What any program needs, and nothing of the caller's: see also the `env` of the options. */
export function plainEnvironment(home: string): NodeJS.ProcessEnv {
  const kept = ['PATH', 'LANG', 'LC_ALL', 'TMPDIR', 'USER', 'LOGNAME', 'SHELL']
  const values = kept.flatMap((name) => (process.env[name] === undefined ? [] : [[name, process.env[name]]]))
  return { ...(Object.fromEntries(values) as NodeJS.ProcessEnv), HOME: home }
}

/** A real hub on loopback, and agents that have joined it with a real join token. */
export class TestHub {
  readonly #home: string
  readonly #process: DetachedProcess
  readonly #configs: Config[] = []
  #url = ''
  #exit: Exit | undefined

  private constructor(home: string, process: DetachedProcess) {
    this.#home = home
    this.#process = process
    void process.exited.then((exit) => (this.#exit = exit))
  }

  static async start(): Promise<TestHub> {
    const home = realpathSync(mkdtempSync(path.join(tmpdir(), 'pc-hub-')))
    const logFile = path.join(home, 'output')
    const child = await spawnDetached({
      command: [process.execPath, runJs, 'hub', '--listen', '127.0.0.1:0'],
      env: plainEnvironment(home),
      cwd: home,
      logFile,
    })
    const hub = new TestHub(home, child)
    try {
      hub.#url = await hub.#listens(() => readFileSync(logFile, 'utf8'))
      return hub
    } catch (error) {
      await hub.close()
      throw error
    }
  }

  get url(): string {
    return this.#url
  }

  #listens(output: () => string): Promise<string> {
    const look = () => {
      const exit = this.#exit
      assert(exit === undefined, `The hub of the suite ${exit && describeExit(exit)}:\n${output()}`)
      return /listening on (http:\/\/\S+)/.exec(output())?.[1]
    }
    return eventually('The hub of the suite must start', look, { seen: output })
  }

  /** Gives an instance the credential of the suite's agent of that number. */
  async join(instance: Instance, number: number): Promise<void> {
    this.#configs[number] ??= await this.#logIn(number)
    mkdirSync(instance.folder, { recursive: true, mode: 0o700 })
    writeConfig(instance, this.#configs[number])
  }

  async #logIn(number: number): Promise<Config> {
    const home = path.join(this.#home, `agent-${number}`)
    mkdirSync(home)
    const token = await this.#connect(this.#home, ['hub', 'token', 'create'])
    const env = { PRIVATECONNECT_TOKEN: token.trim() }
    await this.#connect(home, ['login', '--hub', this.url, '--label', `conformance-${number}`], env)
    return requireConfig(instanceFor(undefined, home))
  }

  #connect(home: string, args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<string> {
    return runProgram([process.execPath, runJs, ...args], { ...plainEnvironment(home), ...env })
  }

  async close(): Promise<void> {
    if (!this.#exit) process.kill(this.#process.pid, 'SIGTERM')
    await withDeadline(
      () => this.#process.exited,
      30_000,
      () => new Error('The hub of the suite did not end'),
    )
    rmSync(this.#home, { recursive: true, force: true })
  }
}
