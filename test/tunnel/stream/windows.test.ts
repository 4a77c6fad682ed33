import fc from 'fast-check'
import { expect, test } from 'vitest'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { ReceiveWindow } from '../../../src/tunnel/stream/receive-window.ts'
import { SendWindow } from '../../../src/tunnel/stream/send-window.ts'
import { StreamViolation } from '../../../src/tunnel/stream/stream-violation.ts'

/** @returns what kind of violation the call was, or undefined if it was none */
function violation(call: () => void): StreamViolation['kind'] | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof StreamViolation) return error.kind
    throw error
  }
}

const bytes = fc.nat(50)
const sendStep = fc.oneof(
  fc.record({ do: fc.constant('send' as const), bytes }),
  fc.record({ do: fc.constant('update' as const), consumed: fc.nat(200), beyond: fc.nat(200) }),
  fc.record({ do: fc.constant('finish' as const), error: fc.constantFrom(0, 0, 0, -1, 1) }),
)

test('the sending side does what its model says, step by step', () => {
  fc.assert(
    fc.property(fc.nat(100), fc.array(sendStep, { maxLength: 40 }), (initial, steps) => {
      const window = new SendWindow(initial)
      let [sent, limit, acked, finished] = [0, initial, 0, false]
      for (const step of steps) {
        switch (step.do) {
          case 'send': {
            const wanted = finished ? 'PROTOCOL' : sent + step.bytes > limit ? 'FLOW_CONTROL' : undefined
            expect(violation(() => window.send(step.bytes))).toBe(wanted)
            if (!wanted) sent += step.bytes
            break
          }
          case 'update': {
            const { consumed } = step
            const wanted = consumed > sent + (finished ? 1 : 0) ? 'PROTOCOL' : undefined
            expect(violation(() => window.update(consumed, consumed + step.beyond))).toBe(wanted)
            if (wanted) break
            acked = Math.max(acked, consumed)
            limit = Math.max(limit, consumed + step.beyond)
            break
          }
          case 'finish': {
            const wanted = finished || step.error !== 0 ? 'PROTOCOL' : undefined
            expect(violation(() => window.finish(sent + step.error))).toBe(wanted)
            finished ||= !wanted
            break
          }
        }
        expect(window).toMatchObject({ sent, limit, acked, finished, room: limit - sent })
        expect(window.done).toBe(finished && acked === sent + 1)
      }
    }),
  )
})

const receiveStep = fc.oneof(
  fc.record({ do: fc.constant('receive' as const), bytes }),
  fc.record({ do: fc.constant('consume' as const), share: fc.double({ min: 0, max: 1, noNaN: true }) }),
  fc.record({ do: fc.constant('finish' as const), error: fc.constantFrom(0, 0, 0, -1, 1) }),
)

test('the receiving side does what its model says, and announces after half a window and at the very end', () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 100 }), fc.array(receiveStep, { maxLength: 60 }), (size, steps) => {
      const window = new ReceiveWindow(size)
      let [received, consumed, limit, finished, announced] = [0, 0, size, false, 0]
      for (const step of steps) {
        switch (step.do) {
          case 'receive': {
            const wanted = finished ? 'PROTOCOL' : received + step.bytes > limit ? 'FLOW_CONTROL' : undefined
            expect(violation(() => window.receive(step.bytes))).toBe(wanted)
            if (!wanted) received += step.bytes
            break
          }
          case 'consume': {
            const amount = Math.floor((received - consumed) * step.share)
            window.consume(amount)
            consumed += amount
            break
          }
          case 'finish': {
            const wanted = finished || step.error !== 0 ? 'PROTOCOL' : undefined
            expect(violation(() => window.finish(received + step.error))).toBe(wanted)
            finished ||= !wanted
            break
          }
        }
        const isDone = finished && consumed === received
        const due = isDone ? announced <= consumed : !finished && consumed - announced >= size / 2
        const position = consumed + (isDone ? 1 : 0)
        const announcement = window.announcement()
        if (due) {
          announced = position
          limit = position + size
          expect(announcement).toEqual({ consumed: position, limit })
        } else expect(announcement).toBeUndefined()
        expect(window).toMatchObject({ received, consumed, limit, finished, done: isDone })
      }
    }),
  )
})

/** Announcements on their way to the sender: some are late, some come twice. */
const channelStep = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('send' as const), share: fc.integer({ min: 1, max: 8 }) }),
  },
  {
    weight: 4,
    arbitrary: fc.record({ do: fc.constant('consume' as const), share: fc.integer({ min: 1, max: 4 }) }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('deliver' as const), index: fc.nat(10) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('repeat' as const), index: fc.nat(10) }) },
)

test('late and repeated WINDOW frames harm nothing: no window is exceeded, and both sides come to their end', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 2, max: 500 }),
      fc.array(channelStep, { maxLength: 100 }),
      (size, steps) => {
        const [sender, receiver] = [new SendWindow(size), new ReceiveWindow(size)]
        const underway: { consumed: number; limit: number }[] = []
        const delivered: { consumed: number; limit: number }[] = []
        const announce = () => {
          const announcement = receiver.announcement()
          if (announcement) underway.push(announcement)
        }
        const deliver = (index: number) => {
          const [announcement] = underway.splice(index % Math.max(1, underway.length), 1)
          if (!announcement) return
          sender.update(announcement.consumed, announcement.limit)
          delivered.push(announcement)
        }
        const consume = (amount: number) => {
          receiver.consume(amount)
          announce()
        }
        for (const step of steps) {
          switch (step.do) {
            case 'send': {
              const amount = Math.ceil(sender.room / step.share)
              sender.send(amount)
              // Would throw if the sender believed in more window than the receiver has given.
              receiver.receive(amount)
              break
            }
            case 'consume': {
              consume(Math.floor((receiver.received - receiver.consumed) / step.share))
              break
            }
            case 'deliver': {
              deliver(step.index)
              break
            }
            case 'repeat': {
              const old = delivered[step.index % Math.max(1, delivered.length)]
              if (!old) break
              const { acked, limit } = sender
              expect(sender.update(old.consumed, old.limit)).toBe(false)
              expect(sender).toMatchObject({ acked, limit })
              break
            }
          }
          expect(sender.sent).toBeLessThanOrEqual(receiver.limit)
          expect(sender.limit).toBeLessThanOrEqual(receiver.limit)
          expect(sender.done).toBe(false)
        }
        // Once all is read and all news has come, the sender can go on: it never runs dry for good.
        consume(receiver.received - receiver.consumed)
        while (underway.length > 0) deliver(0)
        expect(sender.room).toBeGreaterThan(0)

        sender.finish(sender.sent)
        expect(sender.done).toBe(false)
        receiver.finish(sender.sent)
        announce()
        // The last of all: nothing but this tells the sender that its end has arrived.
        expect(underway).toHaveLength(1)
        deliver(0)
        expect(sender.done).toBe(true)
        expect(receiver.announcement()).toBeUndefined()
      },
    ),
  )
})

test('a direction without a byte has an announcement of its end too', () => {
  const [sender, receiver] = [new SendWindow(), new ReceiveWindow()]
  sender.finish(0)
  expect(sender.done).toBe(false)
  receiver.finish(0)
  const announcement = receiver.announcement()!
  expect(announcement).toEqual({ consumed: 1, limit: INITIAL_WINDOW + 1 })
  sender.update(announcement.consumed, announcement.limit)
  expect(sender.done).toBe(true)
})

test('an end is announced once, and only when all before it was handed on', () => {
  const receiver = new ReceiveWindow(100)
  receiver.receive(80)
  receiver.finish(80)
  receiver.consume(79)
  expect(receiver.announcement()).toBeUndefined()
  receiver.consume(1)
  expect(receiver.announcement()).toEqual({ consumed: 81, limit: 181 })
  expect(receiver.announcement()).toBeUndefined()
})

test.for([
  [
    'bytes past the window',
    (window: ReceiveWindow) => window.receive(41),
    'FLOW_CONTROL',
    '1 bytes past the window',
  ],
  [
    'an end elsewhere',
    (window: ReceiveWindow) => window.finish(59),
    'PROTOCOL',
    'an end at 59 after 60 bytes',
  ],
  [
    'bytes after the end',
    (window: ReceiveWindow) => {
      window.finish(60)
      window.receive(0)
    },
    'PROTOCOL',
    'data after the end',
  ],
  [
    'a second end',
    (window: ReceiveWindow) => {
      window.finish(60)
      window.finish(60)
    },
    'PROTOCOL',
    'a second end',
  ],
] as const)('what comes in and breaks the rules is refused in words: %s', ([, call, kind, message]) => {
  const window = new ReceiveWindow(100)
  window.receive(60)
  expect(() => call(window)).toThrow(new StreamViolation(kind, message))
})

test('after a link was lost, a receiver says all that it has, and lets that much more come', () => {
  const window = new ReceiveWindow(100)
  window.receive(60)
  window.consume(30)
  expect(window.position(true)).toEqual({
    received: 60,
    consumed: 30,
    limit: 130,
    ended: false,
    answered: true,
  })
  window.receive(70)
  window.finish(130)
  expect(window.position(false)).toEqual({
    received: 130,
    consumed: 30,
    limit: 130,
    ended: true,
    answered: false,
  })
  window.consume(100)
  expect(window.position(true)).toMatchObject({ consumed: 131, limit: 231 })
  // That has said it.
  expect(window.announcement()).toBeUndefined()
})

test('a window without a budget can be given back like any other', () => {
  const window = new ReceiveWindow(100)
  window.release()
  window.receive(100)
  window.consume(100)
  expect(window.announcement()).toEqual({ consumed: 100, limit: 200 })
})
