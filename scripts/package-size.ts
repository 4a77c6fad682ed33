// What an installed package takes on the disk, and whose that is:
// node scripts/package-size.ts FOLDER [MAX_MB]
import { lstatSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { formatTable } from '../src/cli/format/table.ts'

/** Packages with fewer bytes are one line together. */
const WORTH_A_LINE = 100_000

/** Bytes by package, of a package and all that is installed in it. */
export function packageSizes(folder: string, name = path.basename(folder)): Map<string, number> {
  const sizes = new Map<string, number>()
  const add = (whose: string, bytes: number) => sizes.set(whose, (sizes.get(whose) ?? 0) + bytes)
  const visit = (inside: string, whose: string) => {
    for (const entry of readdirSync(inside, { withFileTypes: true })) {
      const file = path.join(inside, entry.name)
      if (!entry.isDirectory()) add(whose, lstatSync(file).size)
      else visit(file, ownerOf(inside, entry.name) ?? whose)
    }
  }
  visit(folder, name)
  return sizes
}

/** The package whose folder this is; undefined if it is none’s own. */
function ownerOf(inside: string, name: string): string | undefined {
  if (path.basename(inside) === 'node_modules') return name
  const scope = path.basename(inside)
  const isInScope = scope.startsWith('@') && path.basename(path.dirname(inside)) === 'node_modules'
  return isInScope ? `${scope}/${name}` : undefined
}

/** @param maxBytes what all may take together */
export function sizeTable(sizes: ReadonlyMap<string, number>, maxBytes: number): string[] {
  const all = [...sizes].toSorted(([, a], [, b]) => b - a)
  const sum = (some: typeof all) => some.reduce((bytes, [, more]) => bytes + more, 0)
  const small = all.filter(([, bytes]) => bytes < WORTH_A_LINE)
  const row = (name: string, bytes: number) => [name, `${(bytes / 1e6).toFixed(1)} MB`]
  return formatTable([
    ...all.filter(([, bytes]) => bytes >= WORTH_A_LINE).map(([name, bytes]) => row(name, bytes)),
    row(`${small.length} others`, sum(small)),
    row('together', sum(all)),
    ...(Number.isFinite(maxBytes) ? [row('at most', maxBytes)] : []),
  ])
}

if (import.meta.main) {
  const [, , folder = '.', maxMb = 'Infinity'] = process.argv
  const sizes = packageSizes(path.resolve(folder))
  const maxBytes = Number(maxMb) * 1e6
  for (const line of sizeTable(sizes, maxBytes)) console.log(line)
  if ([...sizes.values()].reduce((sum, bytes) => sum + bytes, 0) > maxBytes) process.exitCode = 1
}
