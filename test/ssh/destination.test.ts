import { expect, test } from 'vitest'
import { destinationOf } from '../../src/ssh/destination.ts'

test.for([
  ['dev', 'dev'],
  ['alice@dev ls -h other', 'dev'],
  ['a@b@dev', 'dev'],
  ['-v -p 22 -4 dev', 'dev'],
  ['-vp 22 dev', 'dev'],
  ['-p22 -oUser=alice dev', 'dev'],
  ['-o SendEnv=GIT_PROTOCOL -G alice@dev', 'dev'],
  ['-NL 8080:localhost:80 dev', 'dev'],
  ['-- dev', 'dev'],
  ['-t -- alice@dev -v', 'dev'],
  ['ssh://alice@dev:2222', 'dev'],
  ['SSH://dev/', 'dev'],
  ['- dev', '-'],
  ['-p 22', undefined],
  ['-v -l', undefined],
  ['--', undefined],
] as const)('ssh %s goes to %s', ([line, host]) => {
  expect(destinationOf(line.split(' '))).toEqual({ host, isQuestion: false })
})

test.for(['-V', '-Q cipher', '-vQcipher'])('ssh %s asks about ssh itself', (line) => {
  expect(destinationOf(line.split(' '))).toEqual({ host: undefined, isQuestion: true })
})
