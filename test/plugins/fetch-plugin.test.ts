import { existsSync, mkdirSync, symlinkSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { sweep } from '../../src/plugins/fetch-plugin.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('a plugin in use stays, though the home is called otherwise now', () => {
  const home = scratchFolder()
  const [used, left] = ['plugin-aaaaaa', 'plugin-bbbbbb'].map((name) => path.join(home, 'plugins', name)) as [
    string,
    string,
  ]
  const link = path.join(scratchFolder(), 'link')
  symlinkSync(home, link)
  for (const before of [link, home, '/home/of/before']) {
    for (const folder of [used, left]) mkdirSync(folder, { recursive: true })
    const root = path.join(before, 'plugins/plugin-aaaaaa/node_modules/runit')
    sweep(home, [{ name: 'runit', type: 'user', root }])
    expect(
      [used, left].map((folder) => existsSync(folder)),
      before,
    ).toEqual([true, false])
  }
})
