import { generateManifest } from '../manifest.ts'

/** Of a command what oclif.manifest.json says of it, as far as people read it. */
export interface Command {
  /** `daemon:start`. */
  readonly id: string
  readonly summary?: string
  readonly description?: string
  readonly usage?: string | readonly string[]
  readonly examples?: readonly string[]
  readonly hidden?: boolean
  readonly args: Readonly<Record<string, Argument>>
  readonly flags: Readonly<Record<string, Flag>>
}

interface Argument {
  readonly name: string
  readonly description?: string
  readonly required?: boolean
  readonly multiple?: boolean
  readonly hidden?: boolean
}

export interface Flag {
  readonly name: string
  readonly char?: string
  readonly type: 'boolean' | 'option'
  /** The short text, where there is a longer one as well. */
  readonly summary?: string
  readonly description?: string
  readonly helpValue?: string
  readonly options?: readonly string[]
  readonly env?: string
  readonly default?: string | number | boolean
  readonly allowNo?: boolean
  readonly required?: boolean
  readonly hidden?: boolean
}

/** How many commands have a flag in common before it is told once for all of them. */
const MANY = 5

/** All commands that are shown, as the built program has them. */
export async function builtCommands(): Promise<Command[]> {
  const { commands } = JSON.parse(await generateManifest()) as { commands: Record<string, Command> }
  return Object.values(commands).filter(({ hidden }) => !hidden)
}

/** `connect daemon start`. */
export function nameOf({ id }: Pick<Command, 'id'>): string {
  return ['connect', ...id.split(':')].join(' ')
}

/** What is typed, without what is in square brackets for `[OPTIONS]`. */
export function usageOf(command: Command): string[] {
  const { usage, id } = command
  if (usage !== undefined) return [usage].flat().map((line) => `connect ${line}`)
  const args = argumentsOf(command).map((arg) =>
    arg.required ? termOfArgument(arg) : `[${termOfArgument(arg)}]`,
  )
  const needed = flagsOf(command).filter(({ required }) => required)
  const rest = needed.length < flagsOf(command).length ? ['[OPTIONS]'] : []
  return [[nameOf({ id }), ...args, ...needed.map(termOfFlag), ...rest].join(' ')]
}

export function argumentsOf({ args }: Command): Argument[] {
  return Object.values(args).filter(({ hidden }) => !hidden)
}

export function flagsOf({ flags }: Command): Flag[] {
  return Object.values(flags).filter(({ hidden }) => !hidden)
}

export function termOfArgument({ name, multiple }: Argument): string {
  return `${name.toUpperCase()}${multiple ? '...' : ''}`
}

/** `-n, --lines N`. */
export function termOfFlag({ name, char, type, allowNo, helpValue, options }: Flag): string {
  const long = `--${allowNo ? '[no-]' : ''}${name}`
  const value = type === 'option' ? ` ${helpValue ?? options?.join('|') ?? name.toUpperCase()}` : ''
  return `${char === undefined ? '' : `-${char}, `}${long}${value}`
}

/** All that there is to say of it: the short text, and what else is worth knowing. */
export function textOfFlag({ summary, description, env, default: value }: Flag): string {
  const parts = [summary, description]
    .filter((part) => part !== undefined)
    .map((part) => part.replace(/\.$/, ''))
  if (value) parts.push(`${parts.pop()} (default: ${value})`)
  if (env !== undefined) parts.push(`The same as ${env} in the environment`)
  return parts.join('. ')
}

/** The examples as they are typed. */
export function examplesOf({ examples = [] }: Command): string[] {
  return examples.map((example) => example.replaceAll('<%= config.bin %>', 'connect'))
}

/** The flags that many of them have with the same words, which are told once for all. */
export function sharedFlags(commands: readonly Command[]): Flag[] {
  const all = commands.flatMap(flagsOf)
  const key = (flag: Flag) => JSON.stringify([termOfFlag(flag), textOfFlag(flag)])
  const byText = Map.groupBy(all, key)
  return [...byText.values()].flatMap((alike) => (alike.length > MANY ? alike.slice(0, 1) : []))
}

/** Whether it is one of those, with the same words. */
export function isAmong(flags: readonly Flag[], flag: Flag): boolean {
  return flags.some((one) => one.name === flag.name && textOfFlag(one) === textOfFlag(flag))
}
