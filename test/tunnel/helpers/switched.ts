import { randomBytes } from 'node:crypto'
import type { ServiceResolver } from '../../../src/hub/switch/service-resolver.ts'
import type { SwitchPort } from '../../../src/hub/switch/switch-port.ts'
import { Switch, type SwitchOptions } from '../../../src/hub/switch/switch.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { encodeOpen, encodeOpenOk } from '../../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES } from '../../../src/tunnel/protocol/frames.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import type { Loopback } from './loopback.ts'
import { RawPeer } from './raw-peer.ts'
import { portAt } from './relay.ts'

/** A link to the switch whose far end the test plays, frame by frame. */
export interface Member {
  readonly port: SwitchPort
  readonly peer: RawPeer
  /** Settles once the switch knows that the link is lost. */
  readonly closed: Promise<void>
}

/** A real switch; a service is reached by the name of the member that has it. */
export class Switched {
  readonly hub: Switch
  readonly #loopback: Loopback
  readonly #members = new Map<string, Member>()

  constructor(loopback: Loopback, options: SwitchOptions = {}) {
    this.#loopback = loopback
    const resolve: ServiceResolver['resolve'] = (_opener, service) =>
      this.#members.get(service)?.port ?? {
        code: STREAM_CODES.SERVICE_UNKNOWN,
        message: `there is no service "${service}"`,
      }
    const servicesOf: ServiceResolver['servicesOf'] = ({ id }) =>
      [...this.#members].filter(([, { port }]) => port.agent.id === id).map(([name]) => name)
    this.hub = new Switch({ resolve, servicesOf, mayReach: () => true }, { resumeMs: 0, ...options })
  }

  /** @param agent whose link it is, default one of this name alone */
  async join(name: string, agent = `agent_of_${name}`): Promise<Member> {
    const { near, peer } = await this.#loopback.dialledByPeer()
    const { promise: closed, resolve } = Promise.withResolvers<void>()
    const member = {
      port: portAt(this.hub, near, agent, resolve),
      peer: new RawPeer(peer),
      closed,
    }
    this.#members.set(name, member)
    return member
  }

  close(): void {
    for (const { peer } of this.#members.values()) peer.vanish()
  }
}

/** An OPEN with a key of its own. */
export function open(stream: number, service: string, limit = INITIAL_WINDOW): Buffer {
  return encodeOpen(stream, randomBytes(STREAM_KEY_BYTES), limit, service)
}

/** Opens a stream from one member to another. @returns its number on the acceptor's link */
export async function join(
  opener: Member,
  stream: number,
  acceptor: Member,
  service: string,
  limits: { opener?: number; acceptor?: number } = {},
): Promise<number> {
  opener.peer.send(open(stream, service, limits.opener))
  const opened = await acceptor.peer.next('open')
  acceptor.peer.send(encodeOpenOk(opened.stream, limits.acceptor ?? INITIAL_WINDOW))
  await opener.peer.next('openOk')
  return opened.stream
}
