import { existsSync } from 'node:fs'
import { createRequire } from 'node:module'
import path from 'node:path'
import { readText } from '../../files/read-text.ts'
import { installedPlugins } from './plugins.ts'

/** Of each command what may be typed of it, as an oclif.manifest.json has it. */
export interface Command {
  readonly pluginName?: string
  readonly hidden?: boolean
  readonly summary?: string
  readonly description?: string
  readonly aliases?: readonly string[]
  readonly args?: Readonly<Record<string, Argument>>
  readonly flags?: Readonly<Record<string, Flag>>
}

export interface Argument {
  readonly name: string
  readonly multiple?: boolean
  readonly options?: readonly string[]
}

export interface Flag {
  readonly name: string
  readonly char?: string
  readonly type: string
  readonly summary?: string
  readonly description?: string
  readonly hidden?: boolean
  readonly multiple?: boolean
  /** It may be refused, by `--no-NAME`. */
  readonly allowNo?: boolean
  /** Those that don't go with it. */
  readonly exclusive?: readonly string[]
  /** The values that it may have, if they are few. */
  readonly options?: readonly string[]
  readonly helpValue?: string
}

/** By id: `daemon:start`. */
export type Commands = Readonly<Record<string, Command>>

/** The name of our own commands' package. */
export const OURS = 'private-connect'

/**
 * All that there are: our own, those of the plugins that come with the program, and those of the plugins that
 * the user has installed. A plugin's are found by its manifest: none of its code is run.
 *
 * @param shipped the names of the plugins that come with the program
 * @throws the system's error, SyntaxError if our own manifest can't be read
 */
export function allCommands(root: string, shipped: readonly string[]): Commands {
  // Ours win, as in oclif.
  const folders = [...installedPlugins().map(({ folder }) => folder), ...shippedFolders(root, shipped)]
  return Object.assign({}, ...folders.map(ofPlugin), commandsIn(root)) as Commands
}

/** Wherever npm has put them: below our own folder, or beside it. */
function shippedFolders(root: string, names: readonly string[]): string[] {
  const { resolve } = createRequire(path.join(root, 'package.json'))
  return names.flatMap((name) => {
    const folders = (resolve.paths(name) ?? []).map((folder) => path.join(folder, name))
    return folders.filter((folder) => existsSync(folder)).slice(0, 1)
  })
}

/** A plugin that is broken, or has no manifest, adds nothing. */
function ofPlugin(folder: string): Commands {
  try {
    return Object.fromEntries(Object.entries(commandsIn(folder)).filter(([, command]) => isSound(command)))
  } catch {
    return {}
  }
}

/** Not by valibot, which takes longer to load than all of a completion. */
function isSound(command: unknown): boolean {
  if (!isRecord(command)) return false
  const { args = {}, flags = {} } = command
  if (!isRecord(args) || !isRecord(flags)) return false
  const parts = [...Object.values(args), ...Object.values(flags)]
  return hasSoundTexts(command) && parts.every((part) => hasSoundTexts(part) && typeof part.name === 'string')
}

/** Whether what is known of it is of the form that Command, Argument and Flag say. */
function hasSoundTexts(part: unknown): part is Record<string, unknown> {
  if (!isRecord(part)) return false
  const texts = [part.summary, part.description, part.char, part.helpValue, part.pluginName]
  const { exclusive = [] } = part
  const lists = [part.aliases, part.options]
  return (
    Array.isArray(exclusive) &&
    texts.every((text) => text === undefined || text === null || typeof text === 'string') &&
    lists.every((list) => list === undefined || list === null || isTexts(list))
  )
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((text) => typeof text === 'string')
}

function commandsIn(folder: string): Commands {
  const text = readText(path.join(folder, 'oclif.manifest.json')) ?? ''
  return (JSON.parse(text) as { commands: Commands }).commands
}
