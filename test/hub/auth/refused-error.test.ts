import { expect, test } from 'vitest'
import { RefusedError } from '../../../src/hub/auth/refused-error.ts'

test('a refusal says what it is, and no more than it was given', () => {
  const refused = new RefusedError(404, 'not_found', 'There is no such thing here.')
  expect(String(refused)).toBe('RefusedError: There is no such thing here.')
  const nothing = { retryAfter: undefined, nonce: undefined }
  expect(refused).toMatchObject({ status: 404, reason: 'not_found', ...nothing })
})

test('a refusal says when to try again, and what to sign then', () => {
  const refused = new RefusedError(401, 'nonce', 'Old.', { retryAfter: 5, nonce: 'fresh' })
  expect(refused).toMatchObject({ status: 401, reason: 'nonce', retryAfter: 5, nonce: 'fresh' })
})
