import { readdirSync, rmSync, statSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../errors.ts'

/**
 * How old a temporary file must be whose writer's number is nobody's here, in ms: it may be of another
 * container.
 */
const WITHOUT_WRITER_MS = 10 * 60_000

/**
 * How old one must be whoever has that number, in ms. Numbers are used again, a container's first process has
 * the same at each start, and a zombie keeps its own for as long as its parent does not look.
 */
const CERTAINLY_LEFT_MS = 24 * 3_600_000

/** A file that is put in the place of another once it is written; its name tells whose it is. */
export function temporaryFor(file: string): string {
  return `${file}.${process.pid}.${crypto.randomUUID().slice(0, 8)}.tmp`
}

/** Removes the temporary files, or folders, of a file whose writers were killed. */
export function removeLeftovers(file: string): void {
  const folder = path.dirname(file)
  const begin = `${path.basename(file)}.`
  try {
    for (const name of readdirSync(folder)) {
      const temporary = path.join(folder, name)
      // Of this file, and not of one whose name begins alike.
      if (!name.startsWith(begin) || !/^\d+\.\w+\.tmp$/.test(name.slice(begin.length))) continue
      if (isLeftover(temporary)) rmSync(temporary, { recursive: true, force: true })
    }
  } catch {
    // A folder that can't be listed, or another process that clears away too: the next writer tries again.
  }
}

/** Whether this is a temporary file, or folder, whose writer is certainly gone. */
export function isLeftover(temporary: string): boolean {
  const [, pid] = /\.(\d+)\.[0-9a-f]{8}\.tmp$/.exec(temporary) ?? []
  const found = statSync(temporary, { throwIfNoEntry: false })
  if (pid === undefined || !found) return false
  const ageMs = Date.now() - found.mtimeMs
  return ageMs > CERTAINLY_LEFT_MS || (ageMs > WITHOUT_WRITER_MS && !isThere(Number(pid)))
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return codeOf(error) !== 'ESRCH'
  }
}
