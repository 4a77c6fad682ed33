import { existsSync, globSync, readFileSync } from 'node:fs'
import path from 'node:path'

/**
 * The tests that a file is measured by, its namesake first: those of its area that import it themselves, as
 * they are quick and ought to notice by themselves; if there are none, all of its area.
 *
 * @param file from the root of the repository, as in `src/tunnel/protocol/decode.ts`
 * @param wholeArea all of its area in any case
 * @throws Error if there is no such file below src, or its area has no tests
 */
export function testsOf(file: string, wholeArea: boolean): string[] {
  if (!file.startsWith('src/') || !existsSync(file)) throw new Error(`There is no file ${file} below src`)
  const area = areaOf(path.dirname(file))
  const all = area === undefined ? [] : globSync(`${area}/**/*.test.ts`).toSorted()
  if (all.length === 0) throw new Error(`No tests belong to ${file}`)
  const direct = all.filter((test) => imports(test, file))
  const name = path.basename(file, '.ts')
  const isNamesake = (test: string) => Number(path.basename(test) === `${name}.test.ts`)
  return (wholeArea || direct.length === 0 ? all : direct).toSorted((a, b) => isNamesake(b) - isNamesake(a))
}

/** The folder of test/ that mirrors this one, or the nearest above it. */
function areaOf(folder: string): string | undefined {
  if (folder === 'src') return undefined
  const mirror = path.join('test', path.relative('src', folder))
  return existsSync(mirror) ? mirror : areaOf(path.dirname(folder))
}

function imports(test: string, file: string): boolean {
  const specifiers = [...readFileSync(test, 'utf8').matchAll(/(?:from|import)\s*\(?\s*'(\.[^']+)'/g)]
  return specifiers.some(
    ([, specifier = '']) => path.join(path.dirname(test), specifier) === path.normalize(file),
  )
}
