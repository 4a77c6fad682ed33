import { existsSync, linkSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { codeOf, ConnectError, messageOf } from '../errors.ts'
import { removeLeftovers, temporaryFor } from '../files/durable/leftovers.ts'
import { makeFolder } from '../files/make-folder.ts'
import { readText } from '../files/read-text.ts'
import { removeFile } from '../files/remove-file.ts'

/**
 * What an instance is called: `staging.json` is staging, until another `staging.json` has that name already;
 * then a short hash of its path tells the two apart.
 *
 * @param registry the folder that holds a file for each name, with the path of the config that has it
 * @param wish.reserved the name is meant for something else: only who has it already keeps it
 */
export function instanceName(
  registry: string,
  { stem, configFile, reserved }: { stem: string; configFile: string; reserved: boolean },
): string {
  const owner = ownerOf(registry, stem)
  const isOurs = owner === configFile || (owner === undefined && !reserved)
  return isOurs ? stem : `${stem}-${shortHash(configFile).slice(0, 8)}`
}

/**
 * Takes the name for good, so that a job of that name is this instance's. Taking it again does nothing.
 *
 * @throws ConnectError WRITE_FAILED
 */
export function claimName(registry: string, stem: string, configFile: string): void {
  if (ownerOf(registry, stem) !== undefined) return
  const claim = path.join(registry, stem)
  const draft = temporaryFor(claim)
  try {
    makeFolder(registry)
    writeFileSync(draft, `${configFile}\n`, { mode: 0o600 })
    linkUnlessThere(draft, claim)
    removeLeftovers(claim)
  } catch (error) {
    throw new ConnectError('WRITE_FAILED', `Could not write to ${registry}: ${messageOf(error)}`, {
      cause: error,
    })
  } finally {
    if (existsSync(draft)) rmSync(draft)
  }
}

/** Unlike a rename, a link never replaces what another process has put there meanwhile. */
function linkUnlessThere(from: string, to: string): void {
  try {
    linkSync(from, to)
  } catch (error) {
    if (codeOf(error) !== 'EEXIST') throw error
  }
}

/** Gives it back. */
export function releaseName(registry: string, stem: string, configFile: string): void {
  if (ownerOf(registry, stem) === configFile) removeFile(path.join(registry, stem))
}

/** The config files that have a name. */
export function ownedNames(registry: string): string[] {
  if (!existsSync(registry)) return []
  const owners = readdirSync(registry).map((name) => ownerOf(registry, name))
  return owners.filter((owner) => owner !== undefined && path.isAbsolute(owner)) as string[]
}

/** The config file that has the name; undefined if nobody has. */
export function ownerOf(registry: string, stem: string): string | undefined {
  try {
    return readText(path.join(registry, stem))?.trimEnd()
  } catch (error) {
    // ENOTDIR and the like: whoever writes there is told.
    if (error instanceof ConnectError) return undefined
    throw error
  }
}

/** 16 hexadecimal digits. */
export function shortHash(text: string): string {
  // Most runs need no hash, and node:crypto takes an eighth of `node -e 0` to load.
  const { createHash } = process.getBuiltinModule('node:crypto')
  return createHash('sha256').update(text).digest('hex').slice(0, 16)
}
