import { setImmediate as turn } from 'node:timers/promises'
import { LinkTable } from '../../../src/hub/links/link-table.ts'
import type { Registry } from '../../../src/hub/registry/registry.ts'
import type { Agent, ClaimedService } from '../../../src/hub/store/store.ts'
import { encodeCtrl } from '../../../src/tunnel/protocol/encode.ts'
import { Mux } from '../../../src/tunnel/stream/mux.ts'
import type { Stream } from '../../../src/tunnel/stream/stream.ts'
import { SimulatedWire, turns, type Unaware } from './simulated-wire.ts'

export type Name = 'a' | 'b'

const KEY = { kty: 'OKP', crv: 'Ed25519', x: 'x' } as const

const INTRUDER: Agent = {
  id: `agent_${'c'.repeat(16)}`,
  workspace: 'default',
  key: KEY,
  label: 'c',
  joinedAt: 0,
  revoked: false,
}

/** An agent's process: its streams, and the wire that it has at the moment. */
class SimulatedAgent {
  readonly id: string
  readonly record: Agent
  readonly mux: Mux
  readonly incoming = new Map<string, Stream>()
  wire: SimulatedWire | undefined
  #epoch = 0

  constructor(name: Name) {
    this.id = `agent_${name.repeat(16)}`
    this.record = { id: this.id, workspace: 'default', key: KEY, label: name, joinedAt: 0, revoked: false }
    this.mux = new Mux({
      open: (stream) => this.incoming.set(stream.key.toString('hex'), stream),
      ctrl() {},
      goaway() {},
      closed: () => (this.wire = undefined),
    })
  }

  connect(hub: LinkTable, speed: number): SimulatedWire {
    // Not before it knows that the old one is gone.
    this.wire?.near.terminate('no sign of life')
    const claims = { purpose: 'link', link: this.id.slice(-16), epoch: ++this.#epoch, role: 'agent' } as const
    const wire = new SimulatedWire(speed)
    hub.checkEpoch(this.record, claims)
    hub.add(this.record, claims, wire.far)
    this.mux.connect(wire.near)
    wire.near.sendControl(encodeCtrl({ type: 'hello', version: '0.0.0', label: 'test' }))
    this.wire = wire
    return wire
  }
}

/** Two agents, the hub between them, and time that goes by in turns of the event loop. */
export class SimulatedWorld {
  readonly a = new SimulatedAgent('a')
  readonly b = new SimulatedAgent('b')
  readonly logged: string[] = []
  #hub = this.#newHub()
  /** All that were ever made: of those that are lost, an end may still believe in them. */
  readonly #wires: SimulatedWire[] = []
  readonly #speeds: Readonly<Record<Name, number>>
  #running = true
  #intrusions = 0
  /** Turns in which nothing has moved. */
  idle = 0

  /** @param speeds messages that pass in a turn, for each agent */
  constructor(speeds: Readonly<Record<Name, number>>) {
    this.#speeds = speeds
    for (const name of ['a', 'b'] as const) this.connect(name)
    void this.#run()
  }

  get hub(): LinkTable {
    return this.#hub
  }

  connect(name: Name): void {
    this.#wires.push(this[name].connect(this.#hub, this.#speeds[name]))
  }

  /** Loses an agent's wire; it comes back after a while. */
  async cut(name: Name, unaware: Unaware, backAfter: number): Promise<void> {
    this[name].wire?.cut(unaware)
    await turns(backAfter)
    this.connect(name)
  }

  /** The hub is killed, and another one begins without any memory of it. */
  async restart(unaware: boolean, backAfter: Record<Name, number>): Promise<void> {
    this.#hub = this.#newHub()
    for (const name of ['a', 'b'] as const) this[name].wire?.cut(unaware ? 'both' : 'far')
    await Promise.all(
      (['a', 'b'] as const).map(async (name) => {
        await turns(backAfter[name])
        this.connect(name)
      }),
    )
  }

  /** A third agent's link, for a test to play. */
  intrude(): SimulatedWire {
    const wire = new SimulatedWire(0)
    this.#hub.add(
      INTRUDER,
      { purpose: 'link', link: '0'.repeat(32), epoch: ++this.#intrusions, role: 'agent' },
      wire.far,
    )
    return wire
  }

  stop(): void {
    this.#running = false
    for (const wire of this.#wires) wire.cut('nobody')
  }

  async #run(): Promise<void> {
    while (this.#running) {
      let moved = 0
      for (const wire of this.#wires) moved += wire.step()
      this.idle = moved > 0 ? 0 : this.idle + 1
      await turn()
    }
  }

  #newHub(): LinkTable {
    const agents = new Map([this.a.record, this.b.record, INTRUDER].map((agent) => [agent.id, agent]))
    /** All names that were asked for: each is there. */
    const services = new Map<string, ClaimedService>()
    // Whatever its name says: "b/7" is a service of b.
    const service = (workspace: string, name: string) => {
      const agent = name.startsWith('c') ? INTRUDER.id : this[name.startsWith('a') ? 'a' : 'b'].id
      services.set(name, { workspace, name, agent, port: 1 })
      return services.get(name)
    }
    const registry: Registry = {
      hubId: 'hub_0123456789abcdef',
      agent: (id) => agents.get(id),
      join: () => Promise.resolve(false),
      tokenState: () => Promise.resolve(undefined),
      setLabel() {},
      seen() {},
      remove: () => Promise.resolve({ saved: true }),
      service,
      services: () => [],
      servicesOf: (id) => [...services.values()].filter(({ agent }) => agent === id),
      claim: () => Promise.resolve([]),
    }
    return new LinkTable(registry, { version: '0.0.0', log: (line) => this.logged.push(line) })
  }
}
