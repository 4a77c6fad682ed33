const SYSTEM_PATH = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'
const USERS = { dev: { id: 1000, home: '/home/dev' }, root: { id: 0, home: '/root' } }

/** Words, or a line for a shell. */
export type Command = readonly string[] | string

/** Who runs a command on a machine, and how they come to it. */
export interface InMachine {
  /** Default `dev`, a plain user. */
  readonly as?: 'dev' | 'root'
  /**
   * `login`, the default, is a session by PAM, as ssh has one; it ends with the command. `bare` is what cron
   * and `sudo -u` give: another user's process, in no session, and nothing set but HOME and PATH. `terminal`
   * is a session with a shell for a person, who types what is to be run.
   */
  readonly session?: 'login' | 'bare' | 'terminal'
  readonly env?: Readonly<Record<string, string>>
  readonly input?: string
  readonly timeoutMs?: number
}

/** @returns what root runs to have it run by that user, in the user's home folder */
export function asUser(command: Command, { as = 'dev', session = 'login', env = {} }: InMachine): string[] {
  const { id, home } = USERS[as]
  const line = `${exported(env)}${typeof command === 'string' ? command : `exec ${quoted(command)}`}`
  const clean = ['env', '-i', `PATH=${SYSTEM_PATH}`]
  // With -c it would have no terminal to be in charge of.
  if (session === 'terminal') return [...clean, 'TERM=xterm-256color', 'su', '-', as]
  if (session === 'login') return [...clean, 'su', '-', as, '-c', line]
  const user = ['setpriv', `--reuid=${id}`, `--regid=${id}`, '--init-groups']
  return [...user, ...clean, `HOME=${home}`, 'sh', '-c', `cd; ${line}`]
}

/** Words for a shell, of which it changes nothing. */
export function quoted(words: readonly string[]): string {
  return words.map((word) => `'${word.replaceAll("'", String.raw`'\''`)}'`).join(' ')
}

function exported(env: Readonly<Record<string, string>>): string {
  return Object.entries(env)
    .map(([name, value]) => `export ${name}=${quoted([value])}; `)
    .join('')
}
