import { encodeCtrl, encodePing, encodeRst, encodeWindow } from '../../../src/tunnel/protocol/encode.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import { batch } from './raw-peer.ts'
import { open } from './switched.ts'

const AT_A_TIME = 500

/** What a member may send without end, each with a call that makes the next few hundred frames. */
export const FLOODS: Readonly<Record<string, (service: string) => () => Buffer>> = {
  'OPENs of an unknown service': () => {
    const number = counter(3, 2)
    return () => many(() => open(number(), 'nobody-has-this'))
  },
  'OPENs that are given up at once': (service) => {
    const number = counter(3, 2)
    return () => {
      const opened: number[] = []
      const opens = many(() => open(opened[opened.push(number()) - 1]!, service))
      const ends = batch(opened.map((stream) => encodeRst(stream, 1)))
      return Buffer.concat([opens, ends])
    }
  },
  'frames that are skipped': () => () => many(() => Buffer.from('800000000000', 'hex')),
  /** On stream 1, which is open. */
  WINDOWs: () => {
    const limit = counter(INITIAL_WINDOW + 1, 1)
    return () => many(() => encodeWindow(1, 0, limit()))
  },
  PINGs: () => () => many(() => encodePing(1n)),
  'pings of the WebSocket': () => () =>
    batch(
      Array.from({ length: AT_A_TIME }, () => Buffer.alloc(0)),
      0x89,
    ),
  'lists of services that differ': () => {
    const seq = counter(1, 1)
    return () =>
      many(() => {
        const number = seq()
        const services = [{ name: `n${number % 2}`, port: 1 }]
        return encodeCtrl({ type: 'services', seq: number, services })
      })
  },
}

function many(one: () => Buffer): Buffer {
  return batch(Array.from({ length: AT_A_TIME }, one))
}

function counter(from: number, step: number): () => number {
  let next = from - step
  return () => (next += step)
}
