import { mkdirSync } from 'node:fs'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { Home } from '../../helpers/home.ts'
import { isGone } from './is-gone.ts'
import type { Machine } from './machine.ts'
import { run, runOk } from './run.ts'

const TIMEOUT_MS = 60_000

let terminals = 0

interface TerminalOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  readonly columns?: number
}

interface CommandOnScreen {
  readonly code: number
  readonly screen: string
}

/** A real terminal (tmux) with a shell in it, typed into as a person does. */
export class Terminal {
  readonly #server: string
  #commands = 0

  private constructor(server: string) {
    this.#server = server
  }

  /** @param env what the shell finds set, besides the home's own */
  static async open(home: Home, env: Readonly<Record<string, string>>): Promise<Terminal> {
    mkdirSync(home.folder, { recursive: true })
    const options = { env: { ...home.env, ...env }, cwd: home.folder }
    const terminal = await Terminal.run(['bash', '--norc', '--noprofile'], options)
    await terminal.shows(/[$#] ?$/m)
    return terminal
  }

  /** One that somebody has logged in to a machine with. */
  static async on({ loginCommand }: Machine): Promise<Terminal> {
    const terminal = await Terminal.run(loginCommand)
    await terminal.shows(/[$#] ?$/m)
    return terminal
  }

  /**
   * @param command what runs in it
   * @param options.columns default 140
   */
  static async run(command: readonly string[], options: TerminalOptions = {}): Promise<Terminal> {
    const { env, cwd, columns = 140 } = options
    const terminal = new Terminal(`pc-lab-${process.pid}-${++terminals}`)
    const session = ['-f', '/dev/null', 'new-session', '-d', '-x', String(columns), '-y', '200']
    const started = { env: { ...(env ?? process.env), TERM: 'xterm-256color' }, ...(cwd && { cwd }) }
    await runOk('tmux', ['-u', '-L', terminal.#server, ...session, ...command], started)
    return terminal
  }

  /** Types a line, Enter included. */
  async type(line: string): Promise<void> {
    await this.write(line)
    await this.press('Enter')
  }

  /** Types that, and no Enter. */
  async write(text: string): Promise<void> {
    await this.#tmux(['send-keys', '-l', text])
  }

  /** @param key in tmux's words, such as `C-c` */
  async press(key: string): Promise<void> {
    await this.#tmux(['send-keys', key])
  }

  /**
   * Types a command and waits until it has ended.
   *
   * @param answers what it asks, and what is typed then
   * @returns its exit code, and the screen
   */
  async runs(command: string, answers: readonly [RegExp, string][] = []): Promise<CommandOnScreen> {
    const mark = `command-${++this.#commands}`
    await this.type(`${command}; echo "${mark} exit $?"`)
    for (const [question, answer] of answers) {
      await this.shows(question)
      await this.type(answer)
    }
    const [screen, code] = await this.shows(new RegExp(`[^]*${mark} exit (\\d+)`))
    return { code: Number(code), screen }
  }

  /** What the screen shows, with lines as long as they were printed. */
  unwrapped(): Promise<string> {
    return this.#tmux(['capture-pane', '-p', '-J'])
  }

  /** What the screen shows, with the escape sequences of its colours. Lines that it has broken are whole. */
  coloured(): Promise<string> {
    return this.#tmux(['capture-pane', '-p', '-e', '-J'])
  }

  /** Waits until the screen shows this. @throws Error with the screen if it takes too long */
  async shows(pattern: RegExp): Promise<RegExpExecArray> {
    let screen = ''
    const match = await waitFor(
      async () => {
        screen = await this.#tmux(['capture-pane', '-p'])
        return pattern.exec(screen) ?? undefined
      },
      { timeoutMs: TIMEOUT_MS, everyMs: 200 },
    )
    if (!match) throw new Error(`the terminal does not show ${pattern}:\n${screen.trimEnd()}`)
    return match
  }

  /** Ends the terminal, as closing its window does, and waits until its shell is gone. Nothing if it is. */
  async close(): Promise<void> {
    const { stdout } = await run('tmux', ['-L', this.#server, 'display-message', '-p', '#{pane_pid}'])
    await run('tmux', ['-L', this.#server, 'kill-server'])
    if (stdout !== '') await isGone(Number(stdout))
  }

  #tmux(args: readonly string[]): Promise<string> {
    return runOk('tmux', ['-u', '-L', this.#server, ...args])
  }
}
