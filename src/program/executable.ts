import { lstatSync, readlinkSync, realpathSync } from 'node:fs'
import path from 'node:path'
import { LOCAL_PACKAGE } from '../error-codes.ts'
import { ConnectError } from '../errors.ts'
import { realPathIfThere } from '../files/real-path.ts'
import { cacheOf, chosenLinks, isChosen, isTemporary, isVersioned, upgradedLinks } from './stable-links.ts'

/** What a daemon is run with: absolute paths, which live through an upgrade of either. */
export interface Executable {
  readonly node: string
  readonly script: string
}

export interface ExecutableOptions {
  /** process.execPath */
  readonly execPath: string
  /** process.argv[1] */
  readonly invokedAs: string | undefined
  /** bin/run.js of this package. */
  readonly script: string
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  /** What to run from an installed copy; default `connect daemon start`. */
  readonly command?: string
  /** Where the file system begins; tests have one of their own. */
  readonly root?: string
}

/**
 * Finds the paths to write down for whoever starts the daemon later, from another folder and
 * with another environment.
 *
 * Only what leads to the very same file by links counts: a version manager's shim chooses by
 * folder and environment.
 *
 * @throws ConnectError RUN_FROM_CACHE if this copy of the program is one that a tool will throw away
 */
export function resolveExecutable(options: ExecutableOptions): Executable {
  const { execPath, invokedAs, env, command = 'connect daemon start' } = options
  refuseCache(options.script, command)
  const paths = new Paths(options)
  const script = realpathSync(options.script)
  refuseCache(script, command)
  const node = realpathSync(execPath)
  // pnpm keeps what its dlx runs in the store of everything, which is pruned.
  if (invokedAs !== undefined && paths.isVersioned(script)) refuseCache(invokedAs, command)
  return { node: stableNode(paths, node, script, env), script: stableScript(paths, script, invokedAs) }
}

function refuseCache(file: string, command: string): void {
  const owner = cacheOf(file)
  if (owner === undefined) return
  throw new ConnectError(
    'RUN_FROM_CACHE',
    `This copy of connect lies in ${owner}’s cache, which may be deleted at any time`,
    { hints: [`Install it from its tarball: ${LOCAL_PACKAGE}, then: ${command}`] },
  )
}

function stableNode(paths: Paths, node: string, script: string, env: NodeJS.ProcessEnv): string {
  const upgraded = paths.upgraded(node)
  if (upgraded !== undefined) return upgraded
  // A script among the packages of one version goes with it: this version runs it for as long as
  // there is one.
  const isOfThisVersion = script.startsWith(path.dirname(path.dirname(node)) + path.sep)
  const chosen = isOfThisVersion ? undefined : paths.chosen(node)
  if (chosen !== undefined) return chosen
  if (path.basename(node) === 'node' && !paths.isVersioned(node)) return node
  const folders = [...(env.PATH ?? '').split(path.delimiter), ...paths.systemFolders()]
  return (
    folders
      .filter((folder) => path.isAbsolute(folder) && !folder.includes('/node_modules/'))
      .map((folder) => path.join(folder, 'node'))
      .find((link) => paths.isStable(link, node)) ?? node
  )
}

function stableScript(paths: Paths, script: string, invokedAs: string | undefined): string {
  if (invokedAs !== undefined && paths.isStable(invokedAs, script)) return invokedAs
  return paths.upgraded(script) ?? script
}

/** Looks at paths of the file system, or of the part of it that is a test's. */
class Paths {
  readonly #root: string
  readonly #home: string
  readonly #user: string | undefined

  constructor({ root = '/', home, env }: ExecutableOptions) {
    this.#root = root
    this.#home = this.#inside(path.resolve(home))
    this.#user = env.USER
  }

  isVersioned(file: string): boolean {
    return isVersioned(this.#inside(file), this.#home)
  }

  upgraded(file: string): string | undefined {
    return this.#first(upgradedLinks(this.#inside(file), { home: this.#home, user: this.#user }), file)
  }

  chosen(file: string): string | undefined {
    return this.#first(chosenLinks(this.#inside(file), { home: this.#home, user: this.#user }), file)
  }

  systemFolders(): string[] {
    return ['/usr/local/bin', '/usr/bin'].map((folder) => path.join(this.#root, folder))
  }

  /** Whether a path that someone uses leads to the file, and will lead to the next version of it. */
  isStable(link: string, file: string): boolean {
    if (this.isVersioned(link) || !this.#leadsTo(link, file)) return false
    return !hops(link).some((hop) => isChosen(hop))
  }

  #first(links: readonly string[], file: string): string | undefined {
    return links.map((link) => path.join(this.#root, link)).find((link) => this.#leadsTo(link, file))
  }

  #leadsTo(link: string, file: string): boolean {
    if (!path.isAbsolute(link) || realPathIfThere(link) !== file) return false
    return !hops(link).some((hop) => isTemporary(this.#inside(hop)) || cacheOf(hop) !== undefined)
  }

  #inside(file: string): string {
    return this.#root === '/' ? file : file.slice(this.#root.length)
  }
}

/** Each path that the system goes through, link after link, until the file itself, which must exist. */
function hops(file: string): string[] {
  const all = [file]
  for (let link = firstLink(file); link !== undefined; link = firstLink(all.at(-1)!)) {
    const rest = path.relative(link, all.at(-1)!)
    all.push(path.resolve(path.dirname(link), readlinkSync(link), rest))
  }
  return all
}

function firstLink(file: string): string | undefined {
  const names = file.split(path.sep)
  return names
    .map((_, at) => names.slice(0, at + 1).join(path.sep) || path.sep)
    .find((part) => lstatSync(part).isSymbolicLink())
}
