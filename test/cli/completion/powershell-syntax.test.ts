import { readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { beforeAll, describe, expect, test } from 'vitest'
import { Language, Parser } from 'web-tree-sitter'
import { powershell } from '../../../src/cli/completion/shells/powershell.ts'

const grammar = fileURLToPath(import.meta.resolve('tree-sitter-powershell/tree-sitter-powershell.wasm'))
const check = new URL('../../../.github/completion.ps1', import.meta.url)
let parser: Parser

/** Whether it is a script by PowerShell's grammar; what it does is seen where there is a PowerShell. */
function isScript(text: string): boolean {
  return parser.parse(text)?.rootNode.hasError === false
}

describe('by its grammar, PowerShell can read', () => {
  beforeAll(async () => {
    await Parser.init()
    parser = new Parser()
    parser.setLanguage(await Language.load(grammar))
  })

  test('what completes in it, and what checks that', () => {
    expect(isScript(powershell.script)).toBe(true)
    expect(isScript(readFileSync(check, 'utf8'))).toBe(true)
  })

  test('neither without one of its braces, parentheses or quotes', () => {
    const { script } = powershell
    const without = Array.from(script.matchAll(/[{}()'"]/g), ({ index }) =>
      script.slice(0, index).concat(script.slice(index + 1)),
    )
    expect(without.length).toBeGreaterThan(50)
    expect(without.filter(isScript)).toEqual([])
  })
})
