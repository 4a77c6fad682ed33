import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { root } from '../helpers/cli.ts'

const files = [...globSync('.github/workflows/*.yml', { cwd: root }), '.ci/run']
const texts = files.map((file) => ({ file, text: readFileSync(path.join(root, file), 'utf8') }))

test('whose actions CI runs is pinned by commit: a tag can be moved', () => {
  const used = texts.flatMap(({ file, text }) =>
    [...text.matchAll(/uses: (.*)/g)].map(([, action]) => `${file}: ${action}`),
  )
  expect(used.length).toBeGreaterThan(5)
  expect(used.filter((line) => !/: (\.\/\S+|\S+@[0-9a-f]{40} # v\d+\.\d+\.\d+)$/.test(line))).toEqual([])
})

test('every script that CI runs is in package.json', () => {
  const { scripts } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { scripts: object }
  const run = texts.flatMap(({ text }) => [
    ...[...text.matchAll(/npm run (?:-s )?([\w:]+)/g)].map(([, name]) => name),
    ...[...text.matchAll(/^.*\bsuite '[^']+' \d+m (\S+)$/gm)].map(([, name]) => name),
  ])
  expect(run).toEqual(expect.arrayContaining(['build', 'lint', 'release', 'soak', 'test:lab']))
  expect(run.filter((name) => !Object.hasOwn(scripts, name!))).toEqual([])
})
