import { readFileSync, statSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { firstSession, linesOf } from '../fixtures/product/first-session.ts'
import { root } from '../helpers/cli.ts'

const file = path.join(root, 'docs', 'first-session.svg')
const svg = readFileSync(file, 'utf8')

test('the picture of the first session shows what the README does; else run: npm run picture', () => {
  const shown = [...svg.matchAll(/<text class="line".*?>(.*)<\/text>/g)].map(([, line]) => textOf(line!))
  const byMachine = [...Map.groupBy(firstSession(), ({ machine }) => machine).values()]
  expect(shown).toEqual(byMachine.flat().flatMap(linesOf))
})

test('it is small, and text alone: nothing in it runs, or is loaded from elsewhere', () => {
  expect(statSync(file).size).toBeLessThan(30 * 1024)
  expect(svg).not.toMatch(/<script|<image|<foreignObject|\bon\w+=|href|url\(|@import/)
})

function textOf(line: string): string {
  const entities = { lt: '<', gt: '>', quot: '"', amp: '&' }
  return line
    .replaceAll(/<.*?>/g, '')
    .replaceAll(/&(\w+);/g, (_, name: keyof typeof entities) => entities[name])
    .trimEnd()
}
