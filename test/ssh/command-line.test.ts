import { expect, test } from 'vitest'
import { parseSshWords } from '../../src/ssh/command-line.ts'

test.for([
  ['dev', { args: ['dev'] }],
  ['-v --config dev', { args: ['-v', '--config', 'dev'] }],
  ['--config work.json -v dev', { configFile: 'work.json', args: ['-v', 'dev'] }],
  ['--config ./work dev', { configFile: './work', args: ['dev'] }],
  ['--config=work dev --config x', { configFile: 'work', args: ['dev', '--config', 'x'] }],
  ['--config=a=b dev', { configFile: 'a=b', args: ['dev'] }],
  ['--config', { printed: [] }],
  ['--config dev staging.privateconnect', { printed: ['dev', 'staging'] }],
  ['--config work.json --config', { configFile: 'work.json', printed: [] }],
  ['--config=work --config dev', { configFile: 'work', printed: ['dev'] }],
] as const)('connect ssh %s', ([line, expected]) => {
  const nothing = { configFile: undefined, printed: undefined, args: [] }
  expect(parseSshWords(line.split(' '))).toEqual({ ...nothing, ...expected })
})
