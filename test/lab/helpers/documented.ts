import { readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../../helpers/cli.ts'

/**
 * A block of code as a page of docs/ has it, with what is a test's own put in.
 *
 * @param replace what stands there, and what is to stand there; each must occur
 */
export function documented(page: string, language: string, replace: Record<string, string>, nth = 0): string {
  const text = readFileSync(path.join(root, 'docs', page), 'utf8')
  const blocks = [...text.matchAll(/^```(\w+)\n(.*?)^```$/gms)].filter((match) => match[1] === language)
  let block = blocks[nth]?.[2]
  if (block === undefined) throw new Error(`docs/${page} has no block ${nth} of ${language}`)
  for (const [from, to] of Object.entries(replace)) {
    if (!block.includes(from)) throw new Error(`the ${language} of docs/${page} has no ${from}`)
    block = block.replaceAll(from, to)
  }
  return block
}
