import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import type { Home } from './home.ts'

export const root = path.resolve(import.meta.dirname, '..', '..')
export const runJs = path.join(root, 'bin', 'run.js')

export interface CliOptions {
  readonly env?: NodeJS.ProcessEnv
  /** What stdin holds; default nothing. */
  readonly input?: string
  /** Ends it by SIGKILL, and fails the test; default 60 s. */
  readonly timeoutMs?: number
}

export interface CliResult {
  readonly code: number | null
  readonly signal: NodeJS.Signals | null
  readonly stdout: string
  readonly stderr: string
}

/** Runs the built program to its end, as a user does. */
export async function connect(
  home: Home,
  args: readonly string[],
  options: CliOptions = {},
): Promise<CliResult> {
  return resultOf(startConnect(home, args, options), args, options)
}

/** Waits for the end of a program. @throws Error if that takes too long */
export async function resultOf(
  running: RunningCli,
  args: readonly string[],
  { timeoutMs = 60_000 }: CliOptions,
): Promise<CliResult> {
  const timer = setTimeout(() => running.kill('SIGKILL'), timeoutMs)
  const exit = await running.exited
  clearTimeout(timer)
  if (exit.signal === 'SIGKILL')
    throw new Error(`connect ${args.join(' ')} took too long:\n${running.output}`)
  return { ...exit, stdout: running.stdout, stderr: running.stderr }
}

/** Runs it and throws unless it exits 0. @returns stdout */
export async function connectOk(
  home: Home,
  args: readonly string[],
  options: CliOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await connect(home, args, options)
  if (code !== 0)
    throw new Error(`connect ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`)
  return stdout
}

/** Starts the built program, to go on while the test does. */
export function startConnect(home: Home, args: readonly string[], options: CliOptions = {}): RunningCli {
  mkdirSync(home.folder, { recursive: true })
  const child = spawn(process.execPath, [runJs, ...args], {
    cwd: home.folder,
    env: { ...home.env, ...options.env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  child.stdin.on('error', () => {})
  child.stdin.end(options.input ?? '')
  return new RunningCli(child, args.join(' '))
}

/** A program that runs, and what it has printed so far. */
export class RunningCli {
  stdout = ''
  stderr = ''
  readonly exited: Promise<{ code: number | null; signal: NodeJS.Signals | null }>
  readonly #child: ChildProcess
  readonly #title: string

  constructor(child: ChildProcess, title: string) {
    this.#child = child
    this.#title = title
    child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.stdout += text))
    child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.stderr += text))
    this.exited = once(child, 'close').then(([code, signal]) => ({ code, signal }))
  }

  get pid(): number {
    return this.#child.pid!
  }

  get output(): string {
    return this.stdout + this.stderr
  }

  kill(signal: NodeJS.Signals): void {
    this.#child.kill(signal)
  }

  /** Reads nothing of it any more: the next time that it writes it hears that nobody does. */
  closeOutput(): void {
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.destroy()
  }

  /** Waits until it has printed this. @throws Error if it ends first, or takes too long */
  async printed(pattern: RegExp, timeoutMs = 30_000): Promise<RegExpExecArray> {
    const match = pattern.exec(this.output)
    if (match) return match
    const { promise, resolve, reject } = Promise.withResolvers<RegExpExecArray>()
    const look = () => {
      const found = pattern.exec(this.output)
      if (found) resolve(found)
    }
    const fail = (why: string) =>
      reject(new Error(`connect ${this.#title}: no ${pattern} ${why}:\n${this.output}`))
    const timer = setTimeout(() => fail(`in ${timeoutMs} ms`), timeoutMs)
    for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.on('data', look)
    void this.exited.then(() => fail('before it ended'))
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      for (const stream of [this.#child.stdout, this.#child.stderr]) stream?.off('data', look)
    }
  }

  /** Ends it, and waits until it is gone. */
  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) this.kill(signal)
    await this.exited
  }
}
