import { chownSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { parsePluginSource, sourceOf } from '../../src/plugins/plugin-source.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

test.for([
  ['private-connect-runit', 'private-connect-runit', 'latest'],
  ['@some/plugin', '@some/plugin', 'latest'],
  ['runit@1.2.3', 'runit', '1.2.3'],
  ['@some/runit@^1.2 || >=3', '@some/runit', '^1.2 || >=3'],
  ['runit@next', 'runit', 'next'],
] as const)('%j is a name in the registry', ([text, name, tag]) => {
  expect(parsePluginSource(text)).toEqual({ spec: `${name}@${tag}`, shown: name, name, tag })
})

test('a path is one of a folder or a tarball that is there', () => {
  const file = path.join(scratchFolder(), 'a #1 %20.tgz')
  writeFileSync(file, '')
  for (const text of [file, `file:${file}`])
    expect(parsePluginSource(text)).toEqual({ spec: `file:${file}`, shown: file, url: `file:${file}` })
  for (const text of ['./nonesuch', '/nonesuch', 'nonesuch.tgz', 'file:nonesuch'])
    expect(thrownBy(() => parsePluginSource(text))).toMatchObject({
      code: 'BAD_VALUE',
      message: expect.stringMatching(/^There is no .*nonesuch/) as string,
    })
})

test.runIf(process.getuid?.() === 0)(
  'an update takes nothing that another user has laid in its place',
  () => {
    const file = path.join(scratchFolder(), 'plugin.tgz')
    writeFileSync(file, '')
    const plugin = { name: 'runit', type: 'user', url: `file:${file}` } as const
    expect(sourceOf(plugin)).toEqual(parsePluginSource(file))
    chownSync(file, 65_534, 65_534)
    expect(thrownBy(() => sourceOf(plugin))).toMatchObject({
      code: 'FILE_UNTRUSTED',
      message: `${file} belongs to another user (number 65534)`,
      hints: [`If what is in it is meant to be run: connect plugins install ${file}`],
    })
  },
)

test.for(['https://example.com/plugin.tgz', 'git+https://example.com/plugin.git', 'github:some/plugin'])(
  '%s is where it is',
  (url) => expect(parsePluginSource(url)).toEqual({ spec: url, shown: url, url }),
)

test('what an address of a plugin could give away is refused, and not repeated', () => {
  for (const url of ['https://me:s3cret@example.com/p.tgz', 'https://s3cret@example.com/p.tgz'])
    for (const text of [url, `git+${url}`]) {
      const error = thrownBy(() => parsePluginSource(text))
      expect(error).toMatchObject({ code: 'BAD_VALUE' })
      expect(JSON.stringify(error)).not.toContain('s3cret')
    }
  const plain = 'git+ssh://git@example.com/plugin.git'
  expect(parsePluginSource(plain)).toEqual({ spec: plain, shown: plain, url: plain })
})

test.for([
  ['an option', '--ignore-scripts=false'],
  ['a short option', '-g'],
  ['an alias', 'runit@npm:other'],
  ['a folder in disguise', 'runit@file:../x'],
  ['an address in disguise', 'runit@https://example.com/x.tgz'],
  ['two words', 'a b'],
  ['a scope alone', '@scope'],
  ['a repository without its place', 'some/repository'],
  ['what would be read by others on the way', 'http://example.com/plain.tgz'],
  ['a name that leads elsewhere', '@some/../../x'],
  ['a line break', 'runit\n--force'],
  ['nothing', ''],
] as const)('%s is nothing that npm is given', ([, text]) => {
  expect(thrownBy(() => parsePluginSource(text))).toMatchObject({ code: 'BAD_VALUE' })
})

test.for([
  'http://example.com/plugin.tgz',
  'git+file:///srv/plugin.git',
  'git://example.com/p.git',
  'gitlab:some/p',
])('%s is refused, and what works instead is said', (url) =>
  expect(thrownBy(() => parsePluginSource(url))).toMatchObject({
    code: 'BAD_VALUE',
    message: 'Plugins are not installed from such an address',
    hints: [expect.stringContaining('What works: https:// for a tarball; git+https://') as string],
  }),
)
