import {
  argumentsOf,
  flagsOf,
  isAmong,
  termOfArgument,
  termOfFlag,
  textOfFlag,
  type Command,
  type Flag,
} from './command.ts'

/** An option, or an argument, as a document tells it. */
export interface Told {
  /** `-n, --lines N`. */
  readonly term: string
  readonly text: string
  /** The commands that have it, by their last words, where others of those that are told together don't. */
  readonly of: readonly string[]
}

/** What some commands take: arguments first, and apart what is told once for all commands. */
export function optionsOf(
  commands: readonly Command[],
  shared: readonly Flag[],
): { readonly own: Told[]; readonly common: Told[] } {
  const args = commands.flatMap((command) =>
    argumentsOf(command).map((arg) => ({
      command,
      term: termOfArgument(arg),
      text: arg.description ?? '',
      isShared: false,
    })),
  )
  const flags = commands.flatMap((command) =>
    flagsOf(command).map((flag) => ({
      command,
      term: termOfFlag(flag),
      text: textOfFlag(flag),
      isShared: isAmong(shared, flag),
    })),
  )
  const all = Map.groupBy([...args, ...flags], ({ term, text }) => `${term}\n${text}`)
  const told = [...all.values()].map((alike) => ({
    ...alike[0]!,
    of: alike.length === commands.length ? [] : alike.map(({ command }) => command.id.split(':').at(-1)!),
  }))
  return { own: told.filter(({ isShared }) => !isShared), common: told.filter(({ isShared }) => isShared) }
}
