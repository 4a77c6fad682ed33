import { decode } from '../../../src/tunnel/protocol/decode.ts'
import type { Frame } from '../../../src/tunnel/protocol/frames.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import type { ProcessEnd } from './relay.ts'

/**
 * Looks at what crosses an agent's link in both directions, and notes whoever sends more than he was allowed.
 */
export class WindowWatch {
  readonly violations: string[] = []
  /** Bytes of DATA seen. */
  bytes = 0

  constructor(agent: ProcessEnd, name: string) {
    const upwards = new Map<number, { limit: number; sent: number }>()
    const downwards = new Map<number, { limit: number; sent: number }>()
    const of = (streams: typeof upwards, stream: number) => {
      let state = streams.get(stream)
      if (!state) streams.set(stream, (state = { limit: INITIAL_WINDOW, sent: 0 }))
      return state
    }
    const note = (frame: Frame, sent: typeof upwards, allowed: typeof upwards, direction: string) => {
      if (frame.type === 'open' || frame.type === 'openOk' || frame.type === 'window') {
        const state = of(allowed, frame.stream)
        state.limit = Math.max(state.limit, frame.limit)
      }
      if (frame.type !== 'data') return
      const state = of(sent, frame.stream)
      state.sent += frame.bytes
      this.bytes += frame.bytes
      if (state.sent > state.limit)
        this.violations.push(`${name}, stream ${frame.stream}, ${direction}: ${state.sent} of ${state.limit}`)
    }
    // Before the hub, which changes the stream's number in place.
    agent.hubSide.socket.watch = (bytes) => note(decode(bytes), upwards, downwards, 'to the hub')
    agent.near.socket.watch = (bytes) => note(decode(bytes), downwards, upwards, 'from the hub')
  }
}
