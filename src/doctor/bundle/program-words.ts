import { existsSync, globSync, readFileSync } from 'node:fs'
import os from 'node:os'
import path from 'node:path'

/** What parts a text: pieces are what lies between. A dot, a dash and the like are within a piece. */
export const PIECE = /[^\s/:=@"'`’“”()<>[\]{}|\\,;&?#!*$%^~…]+/gu

/**
 * All words of this program itself: what stands in code that everyone has is nobody's secret. Its messages
 * are made of them, and so is what a log has besides what others have put there.
 *
 * @param root the package's folder
 */
export function programWords(root: string): ReadonlySet<string> {
  const built = path.join(root, 'dist')
  const files = existsSync(built)
    ? globSync('**/*.{js,cjs}', { cwd: built }).map((file) => path.join(built, file))
    : globSync('src/**/*.ts', { cwd: root }).map((file) => path.join(root, file))
  const words = new Set([...Object.keys(os.constants.errno), ...Object.keys(os.constants.signals)])
  for (const file of files) for (const word of wordsOf(readFileSync(file, 'utf8'))) words.add(word)
  return words
}

/** What is built has its characters escaped that are not ASCII. */
function wordsOf(code: string): string[] {
  const text = code.replaceAll(/\\u([0-9a-f]{4})/gi, (_, hex: string) =>
    String.fromCharCode(Number.parseInt(hex, 16)),
  )
  return (text.match(PIECE) ?? []).map(bare)
}

/** Without the dots that end a sentence. */
export function bare(piece: string): string {
  return piece.replace(/\.+$/, '')
}
