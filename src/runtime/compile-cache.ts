import { existsSync, lstatSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs'
import { enableCompileCache } from 'node:module'
import path from 'node:path'

/** How long the cache of another version is left alone, in ms: who uses two in turn has two. */
const KEEP_MS = 24 * 60 * 60 * 1000

/** What is ours to remove: `0.1.0-node-24.21.0`, and `v24.21.0-x64-…`, as Node.js calls its own. */
const CACHE_NAME = /^(?:v\d+\.\d+\.\d+|\d+\.\d+\.\d+\S*-node)-/

/**
 * Has Node.js keep what it compiles in a private folder of ours, one for each version of the program and of
 * Node.js: its own default lies in /tmp, and is used whoever owns it. Without a cache everything works, a
 * little slower, and so it is in a home folder that is not this user's, as one that sudo has left in HOME.
 */
export function useCompileCache(home: string, version: string): void {
  try {
    if (!isOwn(statSync(home))) return
    const caches = path.join(home, '.privateconnect', 'cache')
    const cache = path.join(caches, `${version}-node-${process.versions.node}`)
    // One by one: with `recursive` it would never return where HOME is /proc.
    for (const folder of [path.dirname(caches), caches]) makeFolder(folder)
    if (!isFolder(caches)) return
    // Before it is made: should this process be killed meanwhile, the next one does it.
    if (!existsSync(cache)) removeOthers(caches)
    makeFolder(cache)
    if (isFolder(cache)) enableCompileCache(cache)
  } catch {
    // A read-only home, a full disk, two that make a folder at once: nothing to tell anyone about.
  }
}

function makeFolder(folder: string): void {
  if (!existsSync(folder)) mkdirSync(folder, { mode: 0o700 })
}

/** Removes what other versions have left, once a new one runs. */
function removeOthers(caches: string): void {
  for (const name of readdirSync(caches)) {
    const folder = path.join(caches, name)
    if (!CACHE_NAME.test(name) || !isFolder(folder)) continue
    if (Date.now() - lstatSync(folder).mtimeMs < KEEP_MS) continue
    try {
      rmSync(folder, { recursive: true, force: true })
    } catch {
      // What can't be removed is no reason to go without a cache.
    }
  }
}

/** Whether it is a folder of this user's, and no link to one. */
function isFolder(name: string): boolean {
  const found = lstatSync(name, { throwIfNoEntry: false })
  return found !== undefined && found.isDirectory() && isOwn(found)
}

function isOwn({ uid }: { readonly uid: number }): boolean {
  return uid === process.getuid?.()
}
