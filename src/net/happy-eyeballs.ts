import type { Socket } from 'node:net'
import { interleave } from './interleave.ts'
import type { Address } from './known-addresses.ts'

/** When the next attempt begins beside one that goes on, in ms (RFC 8305 §5, Connection Attempt Delay). */
const ATTEMPT_DELAY_MS = 250

/** Attempts at one connection, of which the first to succeed wins. */
export interface Race {
  /** Ends the race: the attempts that go on count as timed out, and `done` is told. */
  expire(): void
  /** Ends the race; `done` is not called. */
  cancel(): void
}

/**
 * Connects to the first of these addresses that answers, as in RFC 8305 §5: each attempt begins a moment
 * after the one before, or at once when that fails, and none is dropped until one has won.
 *
 * @param addresses not empty
 * @param open begins to connect
 * @param done gets the socket that won, without our listeners; or what came of all attempts
 */
export function connectToFirst(
  addresses: readonly Address[],
  open: (address: Address) => Socket,
  done: (error: Error | undefined, socket?: Socket) => void,
): Race {
  const queue = interleave(addresses)
  const pending = new Map<Socket, Address>()
  const errors: Error[] = []
  let timer: NodeJS.Timeout | undefined
  let isOver = false

  const end = () => {
    isOver = true
    clearTimeout(timer)
    for (const socket of pending.keys()) socket.destroy()
    pending.clear()
  }
  const fail = () => {
    end()
    done(errors.length === 1 ? errors[0] : new AggregateError(errors, 'no address could be connected to'))
  }
  const next = () => {
    clearTimeout(timer)
    const address = queue.shift()
    if (!address) return
    const socket = open(address)
    pending.set(socket, address)
    const failed = (error: Error) => {
      // The error of an attempt that has lost, or was given up.
      if (isOver) return
      pending.delete(socket)
      errors.push(error)
      next()
      if (pending.size === 0) fail()
    }
    socket.on('error', failed)
    socket.once('connect', () => {
      if (isOver) return
      pending.delete(socket)
      end()
      socket.off('error', failed)
      done(undefined, socket)
    })
    if (queue.length > 0) timer = setTimeout(next, ATTEMPT_DELAY_MS)
  }
  next()
  return {
    expire() {
      if (isOver) return
      for (const { address } of pending.values()) errors.push(timedOut(address))
      fail()
    },
    cancel: end,
  }
}

function timedOut(address: string): Error {
  return Object.assign(new Error(`connect ETIMEDOUT ${address}`), { code: 'ETIMEDOUT', address })
}
