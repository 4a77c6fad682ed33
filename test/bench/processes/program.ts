import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { closeSync, mkdtempSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { processTree } from './usage.ts'

export interface ProgramOptions {
  /** Where what it prints is written. */
  readonly folder: string
  readonly env?: NodeJS.ProcessEnv
}

const START_MS = 30_000
const STOP_MS = 5000

/** What runs at this moment. */
const running = new Set<Program>()

/** Ends all programs: the bench was interrupted, maybe while one of its tunnels was half started. */
export async function stopPrograms(): Promise<void> {
  await Promise.all([...running].map((program) => program.stop()))
}

/**
 * A program in the background. It prints into a file, so that nobody has to read along while speed is
 * measured.
 */
export class Program {
  readonly #title: string
  readonly #child: ChildProcess
  readonly #output: string
  readonly #exited: Promise<unknown>

  constructor(command: string, args: readonly string[], { folder, env = process.env }: ProgramOptions) {
    this.#title = [path.basename(command), ...args].join(' ')
    this.#output = path.join(mkdtempSync(path.join(folder, 'program-')), 'output')
    const output = openSync(this.#output, 'a')
    this.#child = spawn(command, args, { env, cwd: folder, stdio: ['ignore', output, output] })
    closeSync(output)
    running.add(this)
    this.#exited = once(this.#child, 'exit').finally(() => running.delete(this))
    // Whoever waits for it to print or to end hears of it.
    this.#exited.catch(() => {})
  }

  get pid(): number {
    return this.#child.pid!
  }

  /** @throws Error if it ends first, or takes too long */
  async printed(pattern: RegExp): Promise<RegExpExecArray> {
    return this.waitUntil(() => pattern.exec(readFileSync(this.#output, 'utf8')) ?? undefined)
  }

  /** @throws Error if it ends first, or takes too long */
  async waitUntil<T>(ask: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const answer = await waitFor(async () => (this.#hasEnded ? null : await ask()), { timeoutMs: START_MS })
    if (answer !== undefined && answer !== null) return answer
    throw new Error(`${this.#title} did not start:\n${readFileSync(this.#output, 'utf8')}`)
  }

  /** Ends it and all that came of it. */
  async stop(): Promise<void> {
    if (this.#hasEnded) return
    const tree = processTree(this.pid)
    const timer = setTimeout(() => this.#child.kill('SIGKILL'), STOP_MS)
    this.#child.kill('SIGTERM')
    await this.#exited
    clearTimeout(timer)
    for (const pid of tree.slice(1)) killIfThere(pid)
  }

  get #hasEnded(): boolean {
    return this.#child.pid === undefined || this.#child.exitCode !== null || this.#child.signalCode !== null
  }
}

function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}
