import { spawn } from 'node:child_process'
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { styleText } from 'node:util'
import { identify } from '../../src/process/identity.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import type { DaemonStatus } from '../../src/tasks/status.ts'
import { RunningCli, runJs } from '../../test/helpers/cli.ts'
import { makeHome, type Home } from '../../test/helpers/home.ts'

/** A computer, as far as Private Connect can tell: a home folder. */
export interface Machine extends Home {
  readonly name: string
}

interface Options {
  readonly exitCode?: number
  readonly token?: string
}

/** @throws Error if what the demo says is not so */
export function check(isSo: boolean, claim: string): void {
  if (!isSo) throw new Error(`It is not so that ${claim}.`)
}

/** Where the demo plays: it types commands, shows what they print, and leaves nothing behind. */
export class Stage {
  readonly #machines: Machine[] = []
  readonly #pids = new Set<number>()
  readonly #running = new Set<Promise<unknown>>()
  readonly #undo: (() => Promise<unknown>)[] = []
  #steps = 0
  #isOver = false

  machine(name: string): Machine {
    const home = makeHome(name)
    // The service managers of this computer belong to the reader.
    const machine = { ...home, name, env: { ...home.env, CONNECT_PLATFORM: 'background' } }
    this.#machines.push(machine)
    return machine
  }

  step(text: string): void {
    this.#mustGoOn()
    this.#steps++
    console.log(styleText('bold', `\n${this.#steps}. ${text}\n`))
  }

  print(text: string): void {
    this.#mustGoOn()
    for (const line of text.trimEnd().split('\n')) console.log(`   ${line}`.trimEnd())
  }

  /** Runs a command to its end. @returns its stdout @throws Error if it ends otherwise than it should */
  async run(machine: Machine, args: string[], options: Options = {}): Promise<string> {
    this.#prompt(machine, args, options.token)
    const { stdout, output } = await this.#runToEnd(machine, args, options)
    this.print(output)
    return stdout
  }

  /** Runs a command that prints a secret, and shows only how that begins. */
  async secret(machine: Machine, args: string[]): Promise<string> {
    this.#prompt(machine, args)
    const { stdout } = await this.#runToEnd(machine, args)
    this.print(shorten(stdout))
    return stdout.trim()
  }

  /** Starts a command that goes on until the end. @returns what it has printed once it is up */
  async keep(machine: Machine, args: string[], up: RegExp): Promise<RegExpExecArray> {
    this.#prompt(machine, args)
    const program = this.#start(machine, args)
    let isUp = false
    this.later(async () => {
      await program.stop('SIGINT')
      if (isUp) check((await program.exited).code === 0, `connect ${args.join(' ')} ends well on Ctrl-C`)
    })
    const match = await program.printed(up)
    isUp = true
    this.print(program.output)
    return match
  }

  /** Starts the daemon, until the end at the latest. @returns its process id */
  async startDaemon(machine: Machine): Promise<number> {
    this.later(() => this.#runToEnd(machine, ['daemon', 'stop']))
    await this.run(machine, ['daemon', 'start'])
    const { status, connection, pid } = await this.daemonStatus(machine)
    check(status === 'running' && connection?.state === 'connected', 'the daemon is connected to its hub')
    check(pid !== null && this.isAlive(pid), 'the daemon’s process is there')
    this.#pids.add(pid!)
    return pid!
  }

  async daemonStatus(machine: Machine): Promise<DaemonStatus> {
    this.#mustGoOn()
    const { stdout } = await this.#runToEnd(machine, ['daemon', 'status', '--json'])
    return JSON.parse(stdout) as DaemonStatus
  }

  isAlive(pid: number): boolean {
    return identify(pid) !== undefined
  }

  /** Has something done when the demo ends, however it ends; what was given last is done first. */
  later(undo: () => Promise<unknown>): void {
    this.#undo.push(undo)
  }

  /** Undoes everything, after a failure or within a step as well. @throws Error if something stays behind */
  async clear(): Promise<string> {
    this.#isOver = true
    await Promise.allSettled(this.#running)
    const outcomes = []
    for (const undo of this.#undo.toReversed()) outcomes.push(...(await Promise.allSettled([undo()])))
    const gone = await waitFor(() => [...this.#pids].every((pid) => !this.isAlive(pid)) || undefined, {
      timeoutMs: 10_000,
    })
    const folders = this.#machines.map(({ folder }) => path.dirname(folder))
    for (const machine of this.#machines) machine.remove()
    for (const outcome of outcomes) if (outcome.status === 'rejected') throw outcome.reason
    check(gone === true && !folders.some((folder) => existsSync(folder)), 'everything is gone again')
    return `${this.#pids.size} processes and ${folders.length} home folders`
  }

  /** Stops a story that has been interrupted from doing more. */
  #mustGoOn(): void {
    if (this.#isOver) throw new Error('The demo is over.')
  }

  #prompt({ name }: Machine, args: string[], token?: string): void {
    const secret = token === undefined ? '' : `PRIVATECONNECT_TOKEN=${shorten(token)} `
    this.print(`${styleText('dim', `${name} $`)} ${styleText('cyan', `${secret}connect ${args.join(' ')}`)}`)
  }

  async #runToEnd(machine: Machine, args: string[], { exitCode = 0, token }: Options = {}) {
    const program = this.#start(machine, args, token)
    this.#running.add(program.exited)
    const { code } = await program.exited
    this.#running.delete(program.exited)
    const { stdout, output } = program
    if (code !== exitCode)
      throw new Error(`connect ${args.join(' ')} ended with exit code ${code}:\n${output}`)
    return { stdout, output }
  }

  #start(machine: Machine, args: string[], token?: string): RunningCli {
    mkdirSync(machine.folder, { recursive: true })
    const child = spawn(process.execPath, [runJs, ...args], {
      cwd: machine.folder,
      // Away from the terminal: its Ctrl-C is for the demo, which then ends each program in good order.
      detached: true,
      env: { ...machine.env, ...(token === undefined ? {} : { PRIVATECONNECT_TOKEN: token }) },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    const program = new RunningCli(child, args.join(' '))
    this.#pids.add(program.pid)
    return program
  }
}

function shorten(secret: string): string {
  return `${secret.slice(0, 8)}…`
}
