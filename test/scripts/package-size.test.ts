import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { packageSizes, sizeTable } from '../../scripts/package-size.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('what is installed is told by whose it is, and what is nested is its own', () => {
  const folder = path.join(scratchFolder(), 'ours')
  const files = {
    'dist/start.js': 300_000,
    'node_modules/one/index.js': 200_000,
    'node_modules/one/lib/node_modules/small/index.js': 20,
    'node_modules/@scope/two/dist/index.js': 1_000_000,
    'node_modules/.package-lock.json': 10,
  }
  for (const [file, bytes] of Object.entries(files)) {
    mkdirSync(path.dirname(path.join(folder, file)), { recursive: true })
    writeFileSync(path.join(folder, file), Buffer.alloc(bytes))
  }
  const sizes = packageSizes(folder)
  expect(Object.fromEntries(sizes)).toEqual({
    ours: 300_010,
    one: 200_000,
    small: 20,
    '@scope/two': 1_000_000,
  })
  expect(sizeTable(sizes, 2e6)).toEqual([
    '@scope/two  1.0 MB',
    'ours        0.3 MB',
    'one         0.2 MB',
    '1 others    0.0 MB',
    'together    1.5 MB',
    'at most     2.0 MB',
  ])
})
