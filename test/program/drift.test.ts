import { renameSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { describeDrift, type Program } from '../../src/program/drift.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

function installed(version = '0.2.0'): Program & { folder: string } {
  const folder = scratchFolder()
  const [node, script] = [path.join(folder, 'node'), path.join(folder, 'run.js')]
  for (const file of [node, script]) writeFileSync(file, '')
  return { folder, node, script, version }
}

test('nothing is said of what is the same', () => {
  const wanted = installed()
  expect(describeDrift({ ...wanted }, wanted)).toEqual([])
})

test.for(['0.1.9', '0.10.0', '0.2.0+abc', 'local'])(
  'a daemon of version %s is told from 0.2.0',
  (version) => {
    const wanted = installed()
    expect(describeDrift({ ...wanted, version }, wanted)).toEqual([
      `The daemon runs version ${version}, and 0.2.0 is installed`,
    ])
  },
)

test('another path to the same files is no difference', () => {
  const wanted = installed()
  const link = path.join(wanted.folder, 'connect')
  symlinkSync(wanted.script, link)
  expect(describeDrift({ ...wanted, script: link }, wanted)).toEqual([])
  expect(describeDrift(wanted, { ...wanted, script: link })).toEqual([])
})

test('other files are, and files that are gone', () => {
  const [running, wanted] = [installed(), installed()]
  expect(describeDrift(running, wanted)).toEqual([
    `The daemon’s script is ${running.script}, and would now be ${wanted.script}`,
    `The daemon’s Node.js is ${running.node}, and would now be ${wanted.node}`,
  ])
  renameSync(running.script, `${running.script}.old`)
  unlinkSync(running.node)
  expect(describeDrift(running, wanted)).toEqual([
    `The daemon’s script is gone: ${running.script}`,
    `The daemon’s Node.js is gone: ${running.node}`,
  ])
})

test('a link that leads nowhere any more is a file that is gone', () => {
  const wanted = installed()
  const link = path.join(wanted.folder, 'link')
  symlinkSync(path.join(wanted.folder, 'removed'), link)
  expect(describeDrift({ ...wanted, node: link }, wanted)).toEqual([`The daemon’s Node.js is gone: ${link}`])
})

test('paths under the home folder are written as people write them', () => {
  const wanted = installed()
  const script = path.join(homedir(), 'no such folder', 'run.js')
  expect(describeDrift({ ...wanted, script }, wanted)).toEqual([
    'The daemon’s script is gone: ~/no such folder/run.js',
  ])
})
