import { readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { orderArguments, type Commands } from '../../../src/cli/argv/order-arguments.ts'
import { root } from '../../helpers/cli.ts'

const { commands } = JSON.parse(readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')) as {
  commands: Commands
}

const ordered = (line: string) => orderArguments(line.split(' '), commands).join(' ')

describe('the words of a command come before its options:', () => {
  test.for([
    ['daemon --hub https://hub.example start', 'daemon start --hub https://hub.example'],
    ['--hub=https://hub.example daemon start', 'daemon start --hub=https://hub.example'],
    ['--config work.json daemon --json status', 'daemon status --config work.json --json'],
    ['daemon -n 5 logs', 'daemon logs -n 5'],
    ['daemon -n5 -f logs', 'daemon logs -n5 -f'],
    ['hub --data-dir hub token --json create --uses 2', 'hub token create --data-dir hub --json --uses 2'],
    ['--json whoami', 'whoami --json'],
    ['--config work.json reach pg', 'reach --config work.json pg'],
    ['daemon --help install', 'daemon install --help'],
    ['daemon --hub https://hub.example strat', 'daemon strat --hub https://hub.example'],
    ['--config daemon daemon', 'daemon --config daemon'],
  ] as const)('%s', ([typed, meant]) => {
    expect(ordered(typed)).toBe(meant)
  })
})

describe('what is in order, or not ours to order, stays as it is:', () => {
  test.for([
    'daemon start --hub https://hub.example',
    'expose --name web 80',
    'reach --port 1 pg',
    'daemon -- start',
    'daemon --of-a-plugin x start',
    'plugins --core inspect',
    '--version',
    'daemon --config',
    'help daemon start',
  ])('%s', (line) => {
    expect(ordered(line)).toBe(line)
  })
})

test('no option takes a value in one command and none in another', () => {
  const types = new Map<string, string>()
  const flags = Object.values(commands).flatMap((command) => Object.values(command.flags))
  for (const { name, type } of flags) {
    expect(types.get(name) ?? type, name).toBe(type)
    types.set(name, type)
  }
})
