import { expect, test } from 'vitest'
import { keep } from '../../../src/memory/pieces.ts'
import { Budget } from '../../../src/tunnel/bounds/budget.ts'
import type { Link } from '../../../src/tunnel/link/link.ts'
import type { Message } from '../../../src/tunnel/protocol/message.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { Outgoing } from '../../../src/tunnel/stream/outgoing.ts'

const BYTES = 64 * 1024

/** A stream that has sent a piece over a link, which has yet to write it. */
function sending() {
  const queued: Message[] = []
  const link = { sendData: (_stream: number, message: Message) => queued.push(message) } as unknown as Link
  const out = new Outgoing(INITIAL_WINDOW, new Budget(2 ** 30))
  const piece = keep(Buffer.alloc(BYTES, 1))
  out.write(piece)
  out.push({ link, id: 1 })
  return { out, piece, queued, route: { link, id: 1 } }
}

/** Whether somebody else gets the memory now. */
const isUsedAgain = (piece: Buffer) =>
  Array.from({ length: 40 }, () => keep(Buffer.alloc(BYTES))).some(({ buffer }) => buffer === piece.buffer)

test('memory is used again once a link has written it, and the far end has it', () => {
  const { out, piece, queued } = sending()
  queued[0]!.sent!()
  expect(isUsedAgain(piece)).toBe(false)
  out.update(BYTES, INITIAL_WINDOW)
  expect(isUsedAgain(piece)).toBe(true)
})

test('a far end that claims to have what was not written yet gets no bytes of others', () => {
  const { out, piece, queued } = sending()
  out.update(BYTES, INITIAL_WINDOW)
  expect(isUsedAgain(piece)).toBe(false)
  queued[0]!.sent!()
  expect(isUsedAgain(piece)).toBe(false)
})

test('what is sent again is not used again when only the first time was written', () => {
  const { out, piece, queued, route } = sending()
  out.unqueue()
  out.rewind({ received: 0, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: true })
  out.push(route)
  queued[0]!.sent!()
  out.update(BYTES, INITIAL_WINDOW)
  expect(isUsedAgain(piece)).toBe(false)
})
