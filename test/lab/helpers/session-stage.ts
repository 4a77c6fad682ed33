import type { Typed } from '../../fixtures/product/first-session.ts'
import { Lan } from './lan.ts'
import { Machine } from './machine.ts'
import { quoted } from './machine-command.ts'
import { postgresPrograms, startPostgres } from './postgres.ts'
import { runOk } from './run.ts'
import { Terminal } from './terminal.ts'

/** As many as a terminal usually has. */
export const COLUMNS = 80

const HOSTS = ['server', 'laptop'] as const

/** For examples (RFC 5737). */
const SUBNET = '192.0.2'

/** Programs that it takes, besides those of a machine. */
export const stagePrograms = ['tmux', 'ip', ...postgresPrograms]

/** A command as it was typed, and what the terminal then showed of it, with its colours. */
export interface Played extends Typed {
  /** The command's own line, and those that it printed, with the escape sequences of their colours. */
  readonly coloured: readonly string[]
}

/**
 * A server with a PostgreSQL, and a laptop: each with a systemd and a network of its own, and a terminal in
 * which somebody types. What is an invite is copied from one to the other.
 */
export class SessionStage {
  readonly #ends: (() => Promise<unknown>)[] = []
  readonly #terminals = new Map<string, Terminal>()
  #lan: Lan | undefined
  #invite = ''

  static async start(): Promise<SessionStage> {
    const stage = new SessionStage()
    try {
      await stage.#build()
    } catch (error) {
      await stage.stop()
      throw error
    }
    return stage
  }

  /** Types it, and waits until the prompt is back. */
  async play(machine: string, command: string): Promise<Played> {
    const terminal = command.startsWith('psql ')
      ? await this.#open([...this.#lan!.via(machine), ...shellAt(machine)])
      : this.#terminals.get(machine)!
    const before = await terminal.coloured()
    await terminal.type(command)
    // Until then the prompt that is seen is the one before.
    await terminal.shows(new RegExp(String.raw`^${machine}\$ ${escaped(command.slice(0, 30))}`, 'm'))
    if (command === 'connect login') {
      await terminal.shows(/Invite or join token .*:\s*$/)
      await terminal.type(this.#invite)
    }
    if (command.endsWith(' --keep')) {
      await terminal.shows(/\[Y\/n\]\s*$/)
      await terminal.press('Enter')
    }
    await terminal.shows(new RegExp(`\\n${machine}\\$\\s*$`))
    const shown = linesOf(await terminal.coloured()).slice(linesOf(before).length - 1, -1)
    this.#invite = /^inv_\S+/m.exec(shown.join('\n'))?.[0] ?? this.#invite
    const coloured = linesOf(shown.map((line) => shortenInvite(line.trimEnd())).join('\n'))
    return { machine, command, printed: coloured.slice(1).map(withoutColours), coloured }
  }

  async stop(): Promise<void> {
    for (const end of this.#ends.splice(0).toReversed()) await end()
  }

  async #build(): Promise<void> {
    const lan = await Lan.start(HOSTS, SUBNET)
    this.#ends.push(() => lan.stop())
    this.#lan = lan
    const postgres = await startPostgres({ via: lan.via('server'), port: 5432 })
    this.#ends.push(() => postgres.stop())
    for (const statement of SHOP) await runOk('psql', ['-h', postgres.folder, '-U', 'postgres', ...statement])
    for (const name of HOSTS) {
      const machine = await Machine.start({ name, via: lan.via(name), polkit: true })
      this.#ends.push(() => machine.stop())
      // In a terminal of the machine’s own, around that of the host.
      const shell = ['script', '-qec', quoted(shellAt(name)), '/dev/null']
      const command = machine.inTerminal(shell, { TERM: 'xterm-256color' })
      this.#terminals.set(name, await this.#open(command))
    }
  }

  async #open(command: readonly string[]): Promise<Terminal> {
    const terminal = await Terminal.run(command, { columns: COLUMNS })
    this.#ends.push(() => terminal.close())
    await terminal.shows(/^\w+\$\s*$/)
    return terminal
  }
}

const SHOP = [
  ['-c', 'create database shop'],
  [
    '-d',
    'shop',
    '-c',
    "create table orders as select * from (values (1, 'tea'), (2, 'biscuits')) as it (id, item)",
  ],
]

/** A shell whose prompt is in colour, as it usually is; bash is told which characters take no room. */
function shellAt(machine: string): string[] {
  const prompt = String.raw`\[\e[32m\]${machine}$\[\e[39m\] `
  return ['env', `PS1=${prompt}`, 'LANG=C.UTF-8', 'PAGER=', 'bash', '--norc', '--noprofile']
}

/** For a regular expression. */
function escaped(text: string): string {
  return text.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)
}

function linesOf(screen: string): string[] {
  return screen.trimEnd().split('\n')
}

/** It is long, and a secret. */
function shortenInvite(line: string): string {
  return line.replace(/inv_\w{16}\S*/, (invite) => `${invite.slice(0, 20)}…`)
}

// oxlint-disable-next-line no-control-regex -- what begins a colour is one
const COLOUR = /\u001B\[[\d;]*m/g

function withoutColours(line: string): string {
  return line.replaceAll(COLOUR, '').trimEnd()
}
