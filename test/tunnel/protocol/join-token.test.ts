import { expect, test } from 'vitest'
import { parseJoinToken } from '../../../src/tunnel/protocol/join-token.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const token = `tok_${'0123456789abcdef'.repeat(2)}`

test.for([token, `  ${token}\n`, `${token}\r\n`])(
  'a join token is taken with the white space around it',
  (text) => {
    expect(parseJoinToken(text)).toBe(token)
  },
)

test.for([
  ['nothing', ''],
  ['white space', ' \n'],
  ['another kind of token', 'ghp_0123456789abcdef'],
  ['the prefix alone', 'tok_'],
  ['two tokens', `${token}\n${token}`],
  ['a token with something after it', `${token} # for ada`],
  ['a header that smuggles', `${token}\r\nHost: evil`],
  ['bytes of a binary file', '\u0000\u0001tok_abc'],
  ['101 characters', `tok_${'a'.repeat(101)}`],
] as const)('%s is no join token, and the error does not repeat it', ([, text]) => {
  const error = thrownBy(() => parseJoinToken(text))
  expect(error.code).toBe('BAD_TOKEN')
  expect(error.message).not.toMatch(/tok_\w|ghp_/)
})
