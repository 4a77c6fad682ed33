import { expect, test } from 'vitest'
import { LastFailure } from '../../src/agent/last-failure.ts'
import { STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'

test.for([
  ['AGENT_OFFLINE', true, 'agent'],
  ['TIMEOUT', true, 'agent'],
  ['LINK_LOST', true, 'agent'],
  ['LINK_LOST', false, 'hub'],
  ['SERVICE_UNKNOWN', true, 'service'],
  ['TARGET_REFUSED', true, 'target'],
  ['TARGET_UNREACHABLE', true, 'target'],
  ['LIMIT', false, 'limit'],
  ['LOOP', true, 'loop'],
  ['OTHER_AGENT', true, 'owner'],
  ['PROTOCOL', true, 'other'],
] as const)('%s, with a link to the hub: %s, is told as: %s', ([code, isLinked, cause]) => {
  const last = new LastFailure()
  last.failed(STREAM_CODES[code], 'why', isLinked)
  expect(last.current).toMatchObject({ cause, reason: 'why' })
  last.linked()
  expect(last.current === undefined).toBe(cause === 'hub')
  last.failed(STREAM_CODES[code], 'why', isLinked)
  last.accepted()
  expect(last.current === undefined).toBe(cause === 'owner')
  last.failed(STREAM_CODES[code], 'why', isLinked)
  last.succeeded()
  expect(last.current).toBeUndefined()
})
