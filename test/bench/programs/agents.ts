// Very many agents in one process: they speak the link's protocol as the real one does, and serve nothing.
import { randomBytes } from 'node:crypto'
import { EventEmitter, once } from 'node:events'
import type { Config } from '../../../src/config/config.ts'
import { MAX_SERVICES } from '../../../src/config/services.ts'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { dial } from '../../../src/hub-client/dial.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import type { Link } from '../../../src/tunnel/link/link.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { encodeCtrl } from '../../../src/tunnel/protocol/encode.ts'
import type { AgentMessage } from '../../../src/tunnel/protocol/handshake.ts'
import { work } from '../processes/worker.ts'

export interface AgentJobs {
  /** Joins so many times. */
  join: { input: { hub: string; token: string; count: number }; output: undefined }
  /** Connects so many of those that have joined, each with one service. Done when the hub has taken it. */
  connect: { input: { count: number }; output: undefined }
  /** Has those that are connected offer so many names in place of what they had, each as many as it may. */
  offer: { input: { names: number }; output: undefined }
}

const AT_A_TIME = 8
const CONNECT_MS = 30_000
const TICK_MS = 1000
const VERSION = '0.0.0-bench'

/** Dials once, and then only keeps its link: real ones would take more of the machine than their hub does. */
class BareAgent {
  readonly #label: string
  readonly #link: Link
  /** Of the hub's answers, which come in order. */
  readonly #answers = new EventEmitter<{ answer: [unknown] }>()
  #names: readonly string[] = []

  private constructor(label: string, link: Link) {
    this.#label = label
    this.#link = link
  }

  static async connect(config: Config): Promise<BareAgent> {
    const claims = { purpose: 'link', link: randomBytes(16).toString('hex'), epoch: 1, role: 'agent' }
    const sign = (nonce: string) => new Signer(config).sign(claims, nonce)
    const agent = new BareAgent(config.label, await dial(config, sign, AbortSignal.timeout(CONNECT_MS)))
    await agent.#begin()
    await agent.offer([config.label])
    return agent
  }

  /** To be called about once a second. */
  tick(): void {
    this.#link.tick()
  }

  /** @throws Error if the hub refuses one of them */
  async offer(names: readonly string[]): Promise<void> {
    if (String(names) === String(this.#names)) return
    this.#names = names
    const services = names.map((name) => ({ name, port: 1 }))
    const answer = await this.#ask({ type: 'services', seq: 1, services })
    const { refused } = answer as { refused?: readonly unknown[] }
    if (refused?.length !== 0) throw new Error(`the hub did not take the services of ${this.#label}`)
  }

  async #begin(): Promise<void> {
    this.#link.attach({
      frame: (frame) => {
        if (frame.type === 'ctrl') this.#answers.emit('answer', frame.message)
      },
      closed: (reason) => {
        throw new Error(`${this.#label} has lost its link: ${reason}`)
      },
    })
    await this.#ask({ type: 'hello', version: VERSION, label: this.#label })
  }

  async #ask(message: AgentMessage): Promise<unknown> {
    this.#link.sendControl(encodeCtrl(message))
    const [answer] = await once(this.#answers, 'answer')
    return answer
  }
}

const joined: Config[] = []
const connected: BareAgent[] = []

setInterval(() => connected.forEach((agent) => agent.tick()), TICK_MS)

work<AgentJobs>({
  async join({ hub, token, count }) {
    const { hub: hubId } = await new HubClient({ hub }).info()
    const first = joined.length + connected.length
    await manyTimes(count, async (n) =>
      joined.push(await join(hub, hubId, token, `agent-${process.pid}-${first + n}`)),
    )
  },
  async connect({ count }) {
    await manyTimes(count, async () => connected.push(await BareAgent.connect(joined.shift()!)))
  },
  async offer({ names }) {
    const all = Array.from({ length: names }, (_, n) => `name-${n}`)
    await manyTimes(connected.length, async (n) =>
      connected[n - 1]!.offer(all.slice((n - 1) * MAX_SERVICES, n * MAX_SERVICES)),
    )
  },
})

async function manyTimes(count: number, one: (n: number) => Promise<unknown>): Promise<void> {
  let started = 0
  const next = async () => {
    while (started < count) await one(++started)
  }
  await Promise.all(Array.from({ length: AT_A_TIME }, next))
}

async function join(hub: string, hubId: string, token: string, label: string): Promise<Config> {
  const key = await newKey()
  const publicKey = { kty: key.kty, crv: key.crv, x: key.x }
  const config = { agentId: agentIdOf(publicKey), label, hub, hubId, insecure: false, key }
  await new HubClient({ hub }).join(new Signer(config), { token, key: publicKey, label })
  return config
}
