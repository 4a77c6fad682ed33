import { expect } from 'vitest'
import type { Endpoint } from '../../../src/hub/switch/relayed-stream.ts'
import type { Unreachable } from '../../../src/hub/switch/service-resolver.ts'
import { SwitchPort } from '../../../src/hub/switch/switch-port.ts'
import { Switch, type SwitchOptions } from '../../../src/hub/switch/switch.ts'
import type { Link, LinkFrame } from '../../../src/tunnel/link/link.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { decode } from '../../../src/tunnel/protocol/decode.ts'
import type { Message } from '../../../src/tunnel/protocol/message.ts'
import { decodeWhole, type WholeFrame } from './whole-frames.ts'

/** A link that sends nothing, and notes what it was to send. */
export class NotedLink {
  readonly frames: WholeFrame[] = []
  /** The chunks of each DATA and FIN, as they lie. */
  readonly chunks: (readonly Buffer[])[] = []
  /** How it was to end. */
  readonly ends: unknown[][] = []
  readonly dropped: number[] = []
  backlog = 0
  isBehind = false
  isBackedUp = false
  isOpen = true
  largestStream: number | undefined

  sendControl(frame: Buffer): void {
    this.frames.push(decodeWhole(frame))
  }

  sendData(stream: number, { chunks, bytes }: Message): void {
    const frame = decodeWhole(Buffer.concat(chunks, bytes))
    expect(frame).toMatchObject({ stream })
    this.frames.push(frame)
    this.chunks.push(chunks)
  }

  hasWaiting(): boolean {
    return false
  }

  close(...how: unknown[]): void {
    this.ends.push(how)
  }

  terminate(...how: unknown[]): void {
    this.ends.push(how)
  }

  drop(stream: number): void {
    this.dropped.push(stream)
  }

  /** What it was to send since the last call. */
  said(): WholeFrame[] {
    return this.frames.splice(0)
  }
}

/** A link at the switch, and whoever speaks there. */
export class Party {
  readonly link = new NotedLink()
  readonly port: SwitchPort
  readonly #hub: Switch

  constructor(hub: Switch, agent: string) {
    this.#hub = hub
    const owner = { id: agent, workspace: 'default' }
    const from = { link: 'process', role: 'agent' } as const
    this.port = hub.add(this.link as unknown as Link, owner, from)
  }

  says(...frames: Buffer[]): void {
    for (const bytes of frames) this.saysInChunks(bytes)
  }

  saysInChunks(first: Buffer, ...rest: Buffer[]): void {
    const chunks = [first, ...rest]
    const frame = decode(first, rest) as Exclude<LinkFrame, { type: 'ctrl' | 'goaway' }>
    const bytes = chunks.reduce((sum, { length }) => sum + length, 0)
    this.#hub.frame(this.port, frame, { chunks, bytes })
  }

  /** Fills its link up to so many streams, none of which is looked at. */
  fill(streams: number): void {
    for (let number = 100_000; this.port.ends.size < streams; number++)
      this.port.ends.set(number, { other: {} } as Endpoint)
  }
}

/** A real switch whose links send nothing: a's and b's, and each has a service of its name. */
export function noted(options?: SwitchOptions) {
  const elsewhere = new Map<string, Unreachable>()
  const parties = new Map<string, Party>()
  const hub = new Switch(
    {
      resolve: (_opener, service, named) => {
        const there = elsewhere.get(service) ?? parties.get(service)?.port
        if (there instanceof SwitchPort && named !== undefined && named !== there.agent.id)
          return { code: STREAM_CODES.OTHER_AGENT, message: `not of ${named}` }
        return there ?? { code: STREAM_CODES.SERVICE_UNKNOWN, message: `no ${service}` }
      },
      servicesOf: ({ id }) => [id.replace(/^agent_of_/, '')],
      mayReach: () => true,
    },
    options,
  )
  /** A link of an agent, which takes the place of the one before. */
  const link = (name: string) => {
    const party = new Party(hub, `agent_of_${name}`)
    parties.set(name, party)
    return party
  }
  return { hub, elsewhere, link, a: link('a'), b: link('b') }
}
