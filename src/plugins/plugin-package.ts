import { existsSync, statSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { ConnectError, messageOf } from '../errors.ts'
import { readText } from '../files/read-text.ts'
import { belongsToUs } from '../files/trust.ts'
import { describeIssue } from '../text/describe-issue.ts'
import { shellQuote } from '../text/shell-quote.ts'

const Target = v.union([v.string(), v.looseObject({ target: v.string() })])

const OURS = 'private-connect'

const Package = v.looseObject({
  name: v.pipe(v.string(), v.nonEmpty()),
  version: v.string(),
  engines: v.optional(v.object({ [OURS]: v.optional(v.string()) })),
  peerDependencies: v.optional(v.object({ [OURS]: v.optional(v.string()) })),
  oclif: v.optional(
    v.looseObject({
      hooks: v.optional(v.record(v.string(), v.union([Target, v.array(Target)])), {}),
      commands: v.optional(Target),
    }),
  ),
})

const Manifest = v.looseObject({ version: v.string(), commands: v.record(v.string(), v.looseObject({})) })

/** What a plugin's package says of itself. */
export interface PluginPackage {
  readonly name: string
  readonly version: string
  /**
   * The versions of Private Connect that it is made for: a range, if it says so. Best among its engines, of
   * which npm installs none: a peer it would look for in its registry, where that name is another project's.
   */
  readonly madeFor: string | undefined
  /** The modules of each hook. */
  readonly hookFiles: Readonly<Record<string, readonly string[]>>
  /** The file or folder of the commands that are imported as it is loaded; undefined if there are none. */
  readonly commandsFile: string | undefined
}

/**
 * Reads a plugin's package.json, and looks whether what that names is there. Runs nothing of it.
 *
 * @throws ConnectError PLUGIN_UNUSABLE
 */
export function readPluginPackage(root: string, called = path.basename(root)): PluginPackage {
  const fail = (what: string, hints?: string[]) =>
    new ConnectError('PLUGIN_UNUSABLE', `${called} ${what}`, hints && { hints })
  if (!existsSync(root)) throw fail(`is not there: ${root}`)
  const folder = statSync(root)
  // What was linked in /tmp may be anybody’s after a reboot, and what is in it is run.
  if (!belongsToUs(folder))
    throw fail(`is in a folder of another user (number ${folder.uid}): ${root}`, [
      `What is there they can change at any time. Take a copy: connect plugins install ${shellQuote(root)}`,
    ])
  const found = v.safeParse(Package, readJsonOf(path.join(root, 'package.json'), fail))
  if (!found.success) throw fail(`has a package.json that can’t be used: ${describeIssue(found.issues)}`)
  const { name, version, engines, peerDependencies, oclif } = found.output
  if (oclif === undefined)
    throw fail('is no plugin of Private Connect', [
      'The package.json of one names what it brings, as "oclif": see docs/platform-plugins.md',
    ])
  const { commands, hooks } = oclif
  const manifest = path.join(root, 'oclif.manifest.json')
  const hasManifest = commands !== undefined && existsSync(manifest)
  const fileOf = (target: v.InferOutput<typeof Target>): string => {
    const file = typeof target === 'string' ? target : target.target
    const ending = ['', '.js', '.mjs', '.cjs'].find((one) => existsSync(path.join(root, file + one)))
    if (ending === undefined) throw fail(`lacks ${file}, which its package.json names`)
    return path.join(root, file + ending)
  }
  const hookFiles = Object.entries(hooks).map(
    ([name, targets]) => [name, [targets].flat().map(fileOf)] as const,
  )
  // A manifest stands for the commands until one of them is run.
  const commandsFile = commands === undefined || hasManifest ? undefined : fileOf(commands)
  if (hasManifest) {
    const read = v.safeParse(Manifest, readJsonOf(manifest, fail))
    if (!read.success)
      throw fail(`has an oclif.manifest.json that can’t be used: ${describeIssue(read.issues)}`)
    const { version: of } = read.output
    if (of !== version) throw fail(`has an oclif.manifest.json of version ${of}, and is ${version}`)
  }
  const madeFor = engines?.[OURS] ?? peerDependencies?.[OURS]
  return { name, version, madeFor, hookFiles: Object.fromEntries(hookFiles), commandsFile }
}

function readJsonOf(file: string, fail: (what: string) => Error): unknown {
  try {
    return JSON.parse(readText(file) ?? '') as unknown
  } catch (error) {
    if (!existsSync(file)) throw fail(`has no ${path.basename(file)}`)
    throw fail(`has a ${path.basename(file)} that can’t be read: ${messageOf(error)}`)
  }
}
