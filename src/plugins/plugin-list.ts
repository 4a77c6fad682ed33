import { existsSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { ConnectError, messageOf } from '../errors.ts'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { makeFolder } from '../files/make-folder.ts'
import { readText } from '../files/read-text.ts'
import { checkTrusted } from '../files/trust.ts'
import { listFile } from './data-folder.ts'

/** A plugin as the list has it. */
export interface ListedPlugin {
  readonly name: string
  /** `user`: a copy that was installed; `link`: a folder that its author works in. */
  readonly type: 'user' | 'link'
  /** Where it is; of one that oclif itself has installed it is not said. */
  readonly root?: string | undefined
  /** The version, range or tag that was asked for. */
  readonly tag?: string | undefined
  /** Where it came from, if not by its name. */
  readonly url?: string | undefined
  /** Names of the platforms that it brought when it was installed, for a shell that offers them. */
  readonly platforms?: readonly string[] | undefined
}

const Entry = v.union([
  v.pipe(
    v.string(),
    v.transform((name): ListedPlugin => ({ name, type: 'user', tag: 'latest' })),
  ),
  v.object({
    name: v.string(),
    type: v.picklist(['user', 'link']),
    root: v.optional(v.string()),
    tag: v.optional(v.string()),
    url: v.optional(v.string()),
    platforms: v.optional(v.array(v.string())),
  }),
])

const List = v.looseObject({
  oclif: v.optional(v.looseObject({ plugins: v.optional(v.array(Entry), []) }), { plugins: [] }),
})

/**
 * What it names is run, so it is believed like a config.
 *
 * @throws ConnectError PLUGINS_DAMAGED, FILE_UNTRUSTED, CONFIG_UNREADABLE
 */
export function readPluginList(dataFolder: string): ListedPlugin[] {
  return read(dataFolder).oclif.plugins
}

/** A kill at any moment leaves the old list or the new. @throws ConnectError WRITE_FAILED */
export function writePluginList(dataFolder: string, plugins: readonly ListedPlugin[]): void {
  const { oclif, ...rest } = read(dataFolder)
  const list = { name: 'private-connect', private: true, ...rest, oclif: { schema: 1, ...oclif, plugins } }
  makeFolder(dataFolder)
  writeFileAtomic(listFile(dataFolder), `${JSON.stringify(list, null, 2)}\n`)
}

/** Where a listed plugin is. */
export function rootOf(dataFolder: string, { root, name }: ListedPlugin): string {
  return root ?? path.join(dataFolder, 'node_modules', name)
}

function read(dataFolder: string): v.InferOutput<typeof List> {
  const file = listFile(dataFolder)
  // A home that is a file, or closed to this user, has none.
  const text = existsSync(file) ? readText(file, (found) => checkTrusted(file, found)) : undefined
  if (text === undefined) return { oclif: { plugins: [] } }
  try {
    return v.parse(List, JSON.parse(text))
  } catch (error) {
    throw new ConnectError('PLUGINS_DAMAGED', `${file} is damaged: ${messageOf(error)}`, { cause: error })
  }
}
