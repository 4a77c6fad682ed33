import * as v from 'valibot'
import { expect, test } from 'vitest'
import { RevokeReply } from '../../../src/hub/control/schema.ts'

test('a revocation is saved, or it is said why not', () => {
  for (const reply of [{ saved: true }, { saved: false, reason: 'its disk is full' }])
    expect(v.parse(RevokeReply, reply)).toEqual(reply)
  for (const other of [{}, { saved: false }, { saved: 'yes' }, { reason: 'its disk is full' }])
    expect(v.is(RevokeReply, other)).toBe(false)
})
