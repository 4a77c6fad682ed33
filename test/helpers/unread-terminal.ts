import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../src/errors.ts'
import { RunningCli, runJs } from './cli.ts'
import type { Home } from './home.ts'

/** Programs that it takes. */
export const PTY_PROGRAMS = ['python3']

/**
 * The built program on a terminal of its own that nobody reads at first: as after Ctrl-S, or in a window that
 * hangs.
 */
export class UnreadTerminal {
  /** The terminal itself: all that has been read from it. */
  readonly cli: RunningCli
  readonly #tell: (word: string) => void
  readonly pid: Promise<number>

  constructor(home: Home, args: readonly string[]) {
    mkdirSync(home.folder, { recursive: true })
    const script = path.join(import.meta.dirname, 'unread-terminal.py')
    const child = spawn('python3', [script, process.execPath, runJs, ...args], {
      cwd: home.folder,
      env: { ...home.env, TERM: 'xterm' },
      stdio: ['pipe', 'pipe', 'inherit'],
    })
    this.#tell = (word) => child.stdin.write(`${word}\n`)
    this.cli = new RunningCli(child, args.join(' '))
    this.pid = this.cli.printed(/^pid (\d+)$/m).then(([, pid]) => Number(pid))
  }

  /** Reads what there is, and what comes, until `fill`. */
  read(): void {
    this.#tell('read')
  }

  /** Reads no more, and leaves no room for a single byte. Says "full" once that is so. */
  fill(): void {
    this.#tell('fill')
  }

  /** Closes the terminal, as closing its window does. */
  hangUp(): void {
    this.#tell('hang up')
  }

  /** Sends the program a signal. Nothing if it is gone. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    try {
      process.kill(await this.pid, signal)
    } catch (error) {
      if (codeOf(error) !== 'ESRCH') throw error
    }
  }

  /** @returns the exit code, below 0 for the number of a signal */
  async ended(): Promise<number> {
    const [, code] = await this.cli.printed(/^ended (-?\d+)$/m)
    return Number(code)
  }
}
