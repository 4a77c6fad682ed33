import { chownSync } from 'node:fs'
import { expect, test } from 'vitest'
import { readPluginPackage } from '../../src/plugins/plugin-package.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'
import { writePlugin } from '../helpers/plugins/plugin-folder.ts'

test.runIf(process.getuid?.() === 0)('a plugin in another user’s folder is not run', () => {
  const folder = writePlugin()
  expect(readPluginPackage(folder)).toMatchObject({ version: '1.0.0' })
  chownSync(folder, 65_534, 65_534)
  expect(thrownBy(() => readPluginPackage(folder, 'it'))).toMatchObject({
    code: 'PLUGIN_UNUSABLE',
    message: `it is in a folder of another user (number 65534): ${folder}`,
    hints: [`What is there they can change at any time. Take a copy: connect plugins install ${folder}`],
  })
})

const madeFor = (more: object) => readPluginPackage(writePlugin({ more })).madeFor

test('which versions it is made for a plugin says among its engines, of which npm installs none', () => {
  expect(madeFor({ engines: { node: '>=22', 'private-connect': '^0.1' } })).toBe('^0.1')
  const peers = { peerDependencies: { 'private-connect': '>=0.2' } }
  expect(madeFor(peers)).toBe('>=0.2')
  expect(madeFor({ engines: { 'private-connect': '^0.1' }, ...peers })).toBe('^0.1')
  for (const none of [{}, { engines: { node: '>=22' } }, { engines: ['node >=22'] }])
    expect(madeFor(none)).toBeUndefined()
})
