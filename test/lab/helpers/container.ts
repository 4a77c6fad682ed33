import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { root as checkout, type CliResult, type RunningCli } from '../../helpers/cli.ts'
import { asUser, quoted, type Command, type InMachine } from './machine-command.ts'
import { run, runOk, start } from './run.ts'
import type { Needs } from './suite.ts'

/** What must be there to have a container. */
export const containerNeeds: Needs = {
  programs: ['debootstrap', 'unshare', 'setpriv', 'nsenter', 'npm'],
  root: true,
  namespaces: true,
}

/** The limit for a hook that calls `Container.make`, which may have to make the tree first. */
export const CONTAINER_MAKE_MS = 600_000

/**
 * A Debian without a service manager, as a container has it: namespaces of its own, but for the network, and
 * one command as process 1, with which all of it ends. Its disk outlives that.
 */
export class Container {
  readonly #tree: string
  readonly #folder = mkdtempSync(path.join(tmpdir(), 'pc-container-'))
  #running: RunningCli | undefined
  #init: number | undefined

  private constructor(tree: string) {
    this.#tree = tree
  }

  static async make(): Promise<Container> {
    const script = path.join(checkout, 'scripts', 'lab-image.sh')
    const tree = await runOk('bash', [script, 'container'], { timeoutMs: CONTAINER_MAKE_MS })
    return new Container(tree.trim())
  }

  /** Starts it with this as process 1, which its user, `dev`, runs, or root. */
  async start(command: readonly string[], { as = 'dev' }: Pick<InMachine, 'as'> = {}): Promise<void> {
    const namespaces = ['--mount', '--propagation', 'private', '--pid', '--ipc', '--uts', '--cgroup']
    const script = path.join(import.meta.dirname, 'container.sh')
    const args = ['--pdeathsig', 'KILL', 'unshare', ...namespaces, '--fork', '--kill-child']
    const npm = path.dirname(path.dirname(realpathSync(execFileSync('which', ['npm']).toString().trim())))
    const env = {
      ...process.env,
      CONTAINER_NODE: process.execPath,
      CONTAINER_NPM: npm,
      CONTAINER_CHECKOUT: checkout,
    }
    this.#init = undefined
    const container = ['bash', script, this.#tree, this.#folder, as, ...command]
    this.#running = start('setpriv', [...args, ...container], { env })
    const init = await waitFor(() => this.#findInit(command), { timeoutMs: 30_000 })
    if (init === undefined) throw new Error(`the container does not start:\n${this.#running.output}`)
    this.#init = init
  }

  /** Runs a command to its end, in its user's home folder; by default as `docker exec` does. */
  async run(command: Command, options: InMachine = {}): Promise<CliResult> {
    const { input, timeoutMs } = options
    const enter = asUser(command, { session: 'bare', ...options })
    return run('nsenter', ['--all', '--target', String(this.#requireInit()), ...enter], {
      ...(input !== undefined && { input }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  }

  /** Runs it and throws unless it exits 0. @returns stdout */
  async runOk(command: Command, options: InMachine = {}): Promise<string> {
    const { code, signal, stdout, stderr } = await this.run(command, options)
    if (code === 0) return stdout
    const words = typeof command === 'string' ? command : command.join(' ')
    throw new Error(`in the container, ${words} ended with ${code ?? signal}:\n${stdout}${stderr}`)
  }

  /** Puts a file of the host into its user's home folder. */
  async copy(file: string): Promise<void> {
    const input = readFileSync(file).toString('base64')
    await this.runOk(`base64 -d >${quoted([path.basename(file)])}`, { input })
  }

  /** Asks process 1 to end, as `docker stop` does, and waits until all is gone. */
  async stop(signal: NodeJS.Signals): Promise<void> {
    process.kill(this.#requireInit(), signal)
    await this.#running?.exited
    this.#init = undefined
  }

  /** Ends it, whatever it is at, and removes its disk. */
  async remove(): Promise<void> {
    await this.#running?.stop('SIGKILL')
    rmSync(this.#folder, { recursive: true, force: true })
  }

  #requireInit(): number {
    if (this.#init === undefined) throw new Error('the container does not run')
    return this.#init
  }

  /** The number that its process 1 has on the host, once that is in its namespaces and runs the command. */
  #findInit(command: readonly string[]): number | undefined {
    const pid = this.#running!.pid
    const children = readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').trim()
    if (!/^\d+$/.test(children)) return undefined
    const line = readFileSync(`/proc/${children}/cmdline`, 'utf8')
    return line === `${command.join('\0')}\0` ? Number(children) : undefined
  }
}
