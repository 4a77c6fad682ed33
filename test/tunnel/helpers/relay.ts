import { once } from 'node:events'
import type { SwitchPort } from '../../../src/hub/switch/switch-port.ts'
import { Switch } from '../../../src/hub/switch/switch.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { Link, type LinkHandler } from '../../../src/tunnel/link/link.ts'
import { Mux } from '../../../src/tunnel/stream/mux.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'
import type { LinkEnd, Loopback } from './loopback.ts'

/** Where an agent's link ends at a switch, as the hub's link table sets it up. */
export function portAt(hub: Switch, end: LinkEnd, agentId: string, onClosed?: () => void): SwitchPort {
  const agent = { id: agentId, workspace: 'default' }
  const port = hub.add(new Link(end.socket), agent, { link: 'link', role: 'agent' })
  const handler: LinkHandler = {
    frame(frame, bytes) {
      if (frame.type !== 'ctrl' && frame.type !== 'goaway') hub.frame(port, frame, bytes)
    },
    relieved: () => hub.relieved(port),
    waiting: (bytes) => hub.waiting(port, bytes),
    closed(_reason, code) {
      hub.closed(port, code)
      onClosed?.()
    },
  }
  port.link.attach(handler, port.quota.pace)
  return port
}

/** An agent's end: its link, its streams, and its socket for a test to trouble. */
export interface ProcessEnd {
  readonly mux: Mux
  readonly port: SwitchPort
  readonly near: LinkEnd
  readonly hubSide: LinkEnd
  /** Takes the streams that the other agent opens. */
  onStream: (stream: Stream) => void
}

/** Two agents' multiplexers with a real switch between them: whatever either opens leads to the other. */
export class Relay {
  readonly a: ProcessEnd
  readonly b: ProcessEnd

  private constructor(a: ProcessEnd, b: ProcessEnd) {
    this.a = a
    this.b = b
  }

  static async start(loopback: Loopback): Promise<Relay> {
    const hub = new Switch(
      {
        resolve: (opener) => (opener.id === a.port.agent.id ? b.port : a.port),
        servicesOf: () => [],
        mayReach: () => true,
      },
      { resumeMs: 0 },
    )
    const [a, b] = [
      await agentEnd(hub, loopback, 'agent_aaaaaaaaaaaaaaaa'),
      await agentEnd(hub, loopback, 'agent_bbbbbbbbbbbbbbbb'),
    ]
    return new Relay(a, b)
  }

  /** How many streams anyone still knows of. */
  get remaining(): number {
    return this.a.mux.streamCount + this.b.mux.streamCount + this.a.port.ends.size + this.b.port.ends.size
  }

  /** Waits until nobody knows of any stream. @throws Error if some are left */
  async empty(timeoutMs = 30_000): Promise<void> {
    const isEmpty = await waitFor(() => this.remaining === 0 || undefined, { timeoutMs, everyMs: 2 })
    if (isEmpty) return
    const { a, b } = this
    throw new Error(
      `streams are left: ${a.mux.streamCount} and ${b.mux.streamCount} at the ends, ` +
        `${a.port.ends.size} and ${b.port.ends.size} at the switch`,
    )
  }

  async close(): Promise<void> {
    const ends = [this.a, this.b].filter(({ near }) => !near.raw.destroyed)
    const closed = ends.map(({ near }) => once(near.raw, 'close'))
    for (const { near } of ends) near.socket.terminate()
    await Promise.all(closed)
  }
}

async function agentEnd(hub: Switch, loopback: Loopback, agentId: string): Promise<ProcessEnd> {
  const { dialled, accepted } = await loopback.pair()
  const port = portAt(hub, accepted, agentId)
  const mux = new Mux(
    { open: (stream) => end.onStream(stream), ctrl() {}, goaway() {}, closed() {} },
    { resumeMs: 0 },
  )
  mux.connect(new Link(dialled.socket))
  const end: ProcessEnd = {
    mux,
    port,
    near: dialled,
    hubSide: accepted,
    onStream: (stream) => stream.refuse(2, 'nobody takes streams here'),
  }
  return end
}
