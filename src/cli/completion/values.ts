import { OURS, type Flag } from './commands.ts'
import type { Cursor, Place } from './cursor.ts'
import { installedPlugins } from './plugins.ts'
import type { Candidate, Reply } from './shells/reply.ts'
import type { Offered } from './on-machine.ts'

/** What takes its time to load, and most words need none of. */
const machine = () => import('./on-machine.ts')
const hub = () => import('./on-hub.ts')

type Values = Pick<Reply, 'kind' | 'candidates'> & Partial<Pick<Reply, 'prefix' | 'typed'>>
type Ask = (place: Place, cursor: Cursor) => Values | Promise<Values>

const NOTHING: Values = { kind: 'words', candidates: [] }
const FILES: Values = { kind: 'files', candidates: [] }
const FOLDERS: Values = { kind: 'folders', candidates: [] }

/** By the id of a command and the name of its argument: what is meant by it. */
const ARGUMENTS: Readonly<Record<string, Ask>> = {
  'expose target': (_, { typed }) => afterPrefix('unix:', typed),
  'hub:agent:remove id': async (_, { given }) =>
    words(await (await hub()).agentsOf(given.get('data-dir'), 'all')),
  'hub:agent:revoke id': async (_, { given }) =>
    words(await (await hub()).agentsOf(given.get('data-dir'), 'members')),
  'hub:backup file': () => FILES,
  'hub:restore file': () => FILES,
  'hub:token:revoke id': async (_, { given }) => words(await (await hub()).tokensOf(given.get('data-dir'))),
  'plugins:inspect plugin': () => words(pluginNames()),
  'plugins:install plugin': () => FILES,
  'plugins:link folder': () => FOLDERS,
  'plugins:uninstall plugin': () => words(pluginNames()),
  'plugins:update plugin': () => words(pluginNames()),
  'reach name': async ({ before }, { typed, given }) =>
    reachable(await (await machine()).offeredServices(given.get('config')), before, typed),
  'unexpose name': async (_, { given }) => words((await machine()).exposedHere(given.get('config'))),
  'unreach name': async (_, { given }) => words((await machine()).keptHere(given.get('config'))),
}

/** The built-in platforms that a daemon can be installed in. */
const MANAGERS: Partial<Record<NodeJS.Platform, readonly string[]>> = {
  darwin: ['launchd'],
  linux: ['systemd'],
}

/** By the name of an option that none of its own says it all of. */
const FLAGS: Readonly<Record<string, () => Values | Promise<Values>>> = {
  config: async () => ({ kind: 'files', candidates: (await machine()).configFiles() }),
  platform: () => words(platformNames().map((value) => ({ value }))),
}

/** By what help calls a value. */
const HELP_VALUES: Readonly<Record<string, Values>> = { FILE: FILES, PATH: FILES, DIR: FOLDERS }

/** Of an argument of a plugin's nothing is known but what its manifest says: it may be a file. */
export async function valuesOfArgument(place: Place, cursor: Cursor): Promise<Values> {
  const { id, argument, command } = place
  if (argument.options) return words(argument.options.map((value) => ({ value })))
  const ask = ARGUMENTS[`${id} ${argument.name}`]
  return ask ? ask(place, cursor) : command.pluginName === OURS ? NOTHING : FILES
}

export async function valuesOfFlag(flag: Flag, isOurs: boolean): Promise<Values> {
  if (flag.options) return words(flag.options.map((value) => ({ value })))
  const known = (await FLAGS[flag.name]?.()) ?? HELP_VALUES[flag.helpValue ?? '']
  return known ?? (isOurs ? NOTHING : FILES)
}

/** `NAME`, or `NAME:PORT`: once, each. */
function reachable(services: readonly Offered[], before: readonly string[], typed: string): Values {
  const [name = '', port] = typed.split(':', 2)
  if (port !== undefined) {
    const found = services.find((service) => service.value === name)
    const candidates = found?.port ? [{ value: String(found.port), about: 'its own port' }] : []
    return { kind: 'words', candidates, prefix: `${name}:`, typed: port }
  }
  const named = new Set(before.map((word) => word.split(':', 1)[0]))
  return words(services.filter(({ value }) => !named.has(value)))
}

/** A file, behind a word that says that it is one. */
function afterPrefix(prefix: string, typed: string): Values {
  if (typed.startsWith(prefix)) return { ...FILES, prefix, typed: typed.slice(prefix.length) }
  return NOTHING
}

function words(candidates: readonly Candidate[]): Values {
  return { kind: 'words', candidates }
}

function platformNames(): string[] {
  return [...(MANAGERS[process.platform] ?? []), ...installedPlugins().flatMap(({ platforms }) => platforms)]
}

function pluginNames(): Candidate[] {
  return installedPlugins().map(({ name }) => ({ value: name }))
}
