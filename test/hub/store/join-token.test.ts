import { expect, test } from 'vitest'
import { hashOf, joinTokenOf, makeJoinToken } from '../../../src/hub/store/join-token.ts'

test('a new join token is for its bearer, and what is kept of it is its hash and an id', () => {
  const [one, other] = [makeJoinToken(), makeJoinToken()]
  expect(one).toEqual({
    id: expect.stringMatching(/^jt_[0-9a-f]{8}$/),
    token: expect.stringMatching(/^tok_[0-9a-f]{40}$/),
    hash: hashOf(one.token),
  })
  expect(one.hash).toHaveLength(32)
  expect([other.id, other.token, other.hash]).not.toEqual([one.id, one.token, one.hash])
})

const NOW = 1000
const row = { id: 'jt_1', created_at: 900, expires_at: NOW + 1, uses_left: 2, revoked_at: null }

test('a join token is shown with all that it can be used for, and not with its hash', () => {
  const shown = { id: 'jt_1', createdAt: 900, expiresAt: NOW + 1, usesLeft: 2, state: 'valid' }
  expect(joinTokenOf({ ...row, hash: Uint8Array.of(1) }, NOW)).toEqual(shown)
})

test.for([
  ['valid', 'until it expires', {}, []],
  ['expired', 'at the very moment it expires', { expires_at: NOW }, []],
  ['used up', 'without a use left, expired or not', { uses_left: 0, expires_at: NOW }, []],
  [
    'revoked',
    'once it was revoked, whatever else it is',
    { revoked_at: 0, uses_left: 0, expires_at: NOW },
    [],
  ],
  ['revoked', 'once it was revoked, which is not saved yet', {}, ['jt_0', 'jt_1']],
  ['valid', 'when another one was revoked', {}, ['jt_0']],
] as const)('a join token is %s %s', ([state, , change, unsaved]) => {
  expect(joinTokenOf({ ...row, ...change }, NOW, unsaved).state).toBe(state)
})
