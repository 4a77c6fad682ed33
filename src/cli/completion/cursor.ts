import type { Argument, Command, Commands, Flag } from './commands.ts'

/** What the word under the cursor may be. */
export type Cursor = {
  /** What stands before it, and no value may have in it: `--config=`. */
  readonly prefix: string
  /** The word, without that prefix, as far as it is typed. */
  readonly typed: string
  /** Values of the options that stand before it, by name; a `~` is not yet the home folder. */
  readonly given: ReadonlyMap<string, string>
} & (
  | { readonly at: 'nothing' }
  /** The next word of a command's name, below `id`; or the first argument of that command. */
  | { readonly at: 'name'; readonly id: string; readonly argument: Place | undefined }
  | { readonly at: 'option'; readonly command: Command | undefined }
  | { readonly at: 'value'; readonly command: Command | undefined; readonly flag: Flag }
  | { readonly at: 'argument'; readonly argument: Place }
  /** A word of another program, which begins at that word of the line. */
  | { readonly at: 'program'; readonly first: number }
  | { readonly at: 'ssh'; readonly words: readonly string[] }
)

/** An argument of a command, and those that stand before it. */
export interface Place {
  readonly id: string
  readonly command: Command
  readonly argument: Argument
  readonly before: readonly string[]
}

/**
 * Where on a command line the cursor is.
 *
 * @param words of the line before the word under the cursor, the program's own name first
 * @param typed the word under the cursor, up to it
 */
export function cursorAt(words: readonly string[], typed: string, commands: Commands): Cursor {
  const given = new Map<string, string>()
  const before: string[] = []
  const isHelp = words[1] === 'help'
  let id = ''
  let open: Flag | undefined
  let isEnded = false
  for (let at = isHelp ? 2 : 1; at < words.length; at++) {
    const word = words[at]!
    const command = commands[id]
    if (id === 'ssh') return { at: 'ssh', words: words.slice(at), typed, prefix: '', given }
    if (open) {
      given.set(open.name, word)
      open = undefined
    } else if (word === '--' && !isEnded) {
      if (id === 'reach') return { at: 'program', first: at + 1, typed, prefix: '', given }
      isEnded = true
    } else if (isOption(word) && !isEnded) {
      const [option, value] = splitOption(word)
      const flag = flagOf(id, option, commands)
      given.set(flag?.name ?? option, value ?? '')
      if (flag?.type === 'option' && value === undefined) open = flag
    } else {
      const next = before.length === 0 ? nextId(id, word, commands) : undefined
      if (next !== undefined) id = next
      else if (command) before.push(word)
      else return { at: 'nothing', typed, prefix: '', given }
    }
  }
  const command = commands[isHelp ? 'help' : id]
  const here = { typed, prefix: '', given }
  if (id === 'ssh') return { at: 'ssh', words: [], ...here }
  if (open) return { at: 'value', command, flag: open, ...here }
  if (!isEnded && typed.startsWith('-')) {
    const [option, value] = splitOption(typed)
    if (value === undefined) return { at: 'option', command, ...here }
    const flag = flagOf(id, option, commands)
    const prefix = `${option}=`
    if (flag?.type !== 'option') return { at: 'nothing', ...here }
    return { at: 'value', command, flag, given, prefix, typed: value }
  }
  const argument = isHelp ? undefined : argumentOf(id, before, commands)
  if (before.length === 0) return { at: 'name', id, argument, ...here }
  return argument ? { at: 'argument', argument, ...here } : { at: 'nothing', ...here }
}

/** `-` alone is an argument: stdin. */
function isOption(word: string): boolean {
  return word.length > 1 && word.startsWith('-')
}

/** `--name=value`; of a letter nothing is split off. */
function splitOption(word: string): [option: string, value?: string] {
  const [, option, value] = /^(--[^=]+)=(.*)$/s.exec(word) ?? []
  return option === undefined ? [word] : [option, value!]
}

/** Before a command is named, its options may stand already. */
function flagOf(id: string, option: string, commands: Commands): Flag | undefined {
  const known = commands[id] ? [commands[id]] : Object.values(commands)
  return known
    .flatMap(({ flags }) => Object.values(flags ?? {}))
    .find(
      ({ name, char, allowNo }) =>
        option === `--${name}` || option === `-${char}` || (allowNo && option === `--no-${name}`),
    )
}

/** @returns undefined if that word belongs to no command's name */
function nextId(id: string, word: string, commands: Commands): string | undefined {
  const next = id === '' ? word : `${id}:${word}`
  const isName = Object.keys(commands).some((one) => one === next || one.startsWith(`${next}:`))
  if (isName) return next
  return Object.keys(commands).find((one) => commands[one]!.aliases?.includes(next))
}

function argumentOf(id: string, before: readonly string[], commands: Commands): Place | undefined {
  const command = commands[id]
  if (!command) return undefined
  const all = Object.values(command.args ?? {})
  const last = all.at(-1)
  const argument = all[before.length] ?? (last?.multiple ? last : undefined)
  return argument && { id, command, argument, before }
}
