import { readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { candidates } from '../../src/cli/complete.ts'
import { connectOk, root } from '../helpers/cli.ts'
import { makeHome } from '../helpers/home.ts'

const { commands } = JSON.parse(readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Parameters<typeof candidates>[1]
}

const WORDS =
  'daemon doctor expose hub login logout plugins reach services ssh status unexpose unreach up whoami'.split(
    ' ',
  )

test.for([
  [[''], WORDS],
  [['re'], ['reach']],
  [
    ['daemon', 'st'],
    ['start', 'status', 'stop'],
  ],
  [
    ['hub', 'token', ''],
    ['create', 'list', 'revoke'],
  ],
  [['hub', '--listen', '127.0.0.1:0', 'to'], ['token']],
  [['daemon', 'logs', '--f'], ['--follow']],
  [['daemon', 'status', '--he'], ['--help']],
  [['expose', '5432', '--na'], ['--name']],
  [['daemon', 'status', '--config', ''], []],
  [['expose', '5432', ''], []],
  [['nonsense', ''], []],
  [['daemon', 'status', ''], []],
  [[], WORDS],
] as const)('after %j a shell can offer %j', ([words, expected]) => {
  expect(candidates(words, commands)).toEqual(expected)
})

test('an option with few values has them offered, and a hidden one is not', () => {
  const flags = {
    shell: { name: 'shell', char: 's', type: 'option', options: ['bash', 'zsh'] },
    secret: { name: 'secret', type: 'boolean', hidden: true },
  }
  const made = { make: { flags }, unmake: { flags, hidden: true } }
  expect(candidates(['make', '--shell', ''], made)).toEqual(['bash', 'zsh'])
  expect(candidates(['make', '-s', 'z'], made)).toEqual(['zsh'])
  expect(candidates(['make', '--s'], made)).toEqual(['--shell'])
  expect(candidates([''], made)).toEqual(['make'])
})

test('the program answers a shell by itself', async () => {
  const home = makeHome()
  onTestFinished(() => home.remove())
  expect(await connectOk(home, ['__complete', 'daemon', 'st'])).toBe('start\nstatus\nstop\n')
  expect(await connectOk(home, ['__complete', 'daemon', 'status', '--config', ''])).toBe('')
})
