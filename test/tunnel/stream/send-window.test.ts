import { describe, expect, test } from 'vitest'
import type { Position } from '../../../src/tunnel/protocol/frames.ts'
import { SendWindow } from '../../../src/tunnel/stream/send-window.ts'
import { StreamViolation } from '../../../src/tunnel/stream/stream-violation.ts'

/** A window of 100 bytes of which 60 are sent and 40 of these acknowledged. */
function halfway({ finished = false, acked = 40 } = {}): SendWindow {
  const window = new SendWindow(100)
  window.send(60)
  if (finished) window.finish(60)
  window.update(acked, 100)
  return window
}

const stateOf = ({ sent, acked, limit, finished }: SendWindow) => ({ sent, acked, limit, finished })

const position = (other: Partial<Position> = {}): Position => ({
  received: 50,
  consumed: 45,
  limit: 145,
  ended: false,
  answered: true,
  ...other,
})

test('a window begins where its receiver stands', () => {
  const window = SendWindow.at(position({ ended: true }))
  expect(stateOf(window)).toEqual({ sent: 50, acked: 45, limit: 145, finished: true })
  expect(SendWindow.at(position()).finished).toBe(false)
})

describe('a WINDOW brings news if it', () => {
  test.for([
    ['acknowledges more', 41, 100, true],
    ['lets more be sent', 40, 101, true],
    ['does both', 41, 101, true],
    ['acknowledges more with an older limit', 41, 99, true],
    ['lets more be sent with an older acknowledgement', 39, 101, true],
  ] as const)('%s', ([, consumed, limit, isNews]) => {
    expect(halfway().update(consumed, limit)).toBe(isNews)
  })

  test('is no repetition, nor one that was overtaken', () => {
    for (const [consumed, limit] of [
      [40, 100],
      [39, 99],
    ] as const)
      expect(halfway().update(consumed, limit)).toBe(false)
  })
})

describe('after a link was lost', () => {
  test.for([
    ['all that was acknowledged and no more', position({ received: 40, consumed: 40 }), 40],
    ['some of what was underway', position(), 50],
    ['all of it', position({ received: 60, consumed: 60 }), 60],
  ] as const)('a sender goes on where the receiver has %s', ([, at, sent]) => {
    const window = halfway()
    window.rewind(at)
    expect(stateOf(window)).toEqual({ sent, acked: at.consumed, limit: 145, finished: false })
  })

  test('the end is sent again unless it has arrived', () => {
    const lost = halfway({ finished: true })
    lost.rewind(position({ received: 60 }))
    expect(stateOf(lost)).toEqual({ sent: 60, acked: 45, limit: 145, finished: false })
    const arrived = halfway({ finished: true })
    arrived.rewind(position({ received: 60, ended: true }))
    expect(arrived.finished).toBe(true)
  })

  test('an end that was acknowledged is one byte past all that can be received', () => {
    const window = halfway({ finished: true, acked: 61 })
    window.rewind(position({ received: 60, consumed: 61, ended: true }))
    expect(window.done).toBe(true)
  })

  test.for([
    ['less than it has acknowledged', {}, position({ received: 39 })],
    ['more than was sent', {}, position({ received: 61 })],
    ['an end that was never sent', {}, position({ received: 60, ended: true })],
    ['the end without all before it', { finished: true }, position({ received: 59, ended: true })],
  ] as const)('a receiver can’t have %s', ([, options, at]) => {
    const window = halfway(options)
    const before = stateOf(window)
    expect(() => window.rewind(at)).toThrow(
      new StreamViolation('PROTOCOL', `${at.received} bytes received, 60 were sent`),
    )
    expect(stateOf(window)).toEqual(before)
  })
})

test.for([
  ['bytes past the window', () => halfway().send(45), 'FLOW_CONTROL', '5 bytes past the window'],
  ['bytes after the end', () => halfway({ finished: true }).send(1), 'PROTOCOL', 'data after the end'],
  ['a second end', () => halfway({ finished: true }).finish(60), 'PROTOCOL', 'a second end'],
  ['an end elsewhere', () => halfway().finish(61), 'PROTOCOL', 'an end at 61 after 60 bytes'],
  [
    'an acknowledgement of what was not sent',
    () => halfway().update(61, 100),
    'PROTOCOL',
    '61 bytes acknowledged, 60 were sent',
  ],
] as const)('%s break the rules, and the error says how', ([, call, kind, message]) => {
  expect(call).toThrow(new StreamViolation(kind, message))
  expect(call).toThrow(expect.objectContaining({ kind }))
})
