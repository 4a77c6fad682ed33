import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { groupCommands } from '../../src/cli/help-groups.ts'
import { root } from '../helpers/cli.ts'

const manifest = JSON.parse(readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Record<string, { id: string }>
}
const ours = Object.values(manifest.commands)

test('each command of ours is in one group, and none is taken for a plugin’s', () => {
  const groups = groupCommands(ours)
  expect(groups.flatMap(([, members]) => members).toSorted(byId)).toEqual(ours.toSorted(byId))
  expect(groups.map(([title]) => title)).not.toContain('FROM PLUGINS')
})

test('what plugins bring stands at the end, in a group of its own', () => {
  expect(groupCommands([{ id: 'runit:logs' }, { id: 'status' }])).toEqual([
    ['THIS MACHINE', [{ id: 'status' }]],
    ['FROM PLUGINS', [{ id: 'runit:logs' }]],
  ])
})

test('help is no plugin’s, though it comes from a package of oclif’s', () => {
  expect(groupCommands([{ id: 'autocomplete' }, { id: 'help' }])).toEqual([
    ['IN YOUR SHELL', [{ id: 'help' }, { id: 'autocomplete' }]],
  ])
})

function byId(one: { id: string }, other: { id: string }): number {
  return one.id < other.id ? -1 : 1
}
