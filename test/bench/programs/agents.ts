// Very many agents in one process: they speak the link's protocol as the real one does, and serve nothing.
import type { Config } from '../../../src/config/config.ts'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { HubLink } from '../../../src/hub-client/hub-link.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { work } from '../processes/worker.ts'

export interface AgentJobs {
  /** Joins so many times. */
  join: { input: { hub: string; token: string; count: number }; output: undefined }
  /** Connects so many of those that have joined, each with one service. Done when the hub has taken it. */
  connect: { input: { count: number }; output: undefined }
}

const AT_A_TIME = 8
const CONNECT_MS = 30_000
const VERSION = '0.0.0-bench'

const joined: Config[] = []

work<AgentJobs>({
  async join({ hub, token, count }) {
    const { hub: hubId } = await new HubClient({ hub }).info()
    await manyTimes(count, async (n) => joined.push(await join(hub, hubId, token, `agent-${n}`)))
  },
  async connect({ count }) {
    await manyTimes(count, () => connect(joined.shift()!))
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

async function connect(config: Config): Promise<void> {
  const { label } = config
  const link = new HubLink({
    config,
    role: 'agent',
    version: VERSION,
    log: () => {},
    onStream: (stream) => stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, 'nothing is served here'),
  })
  void link.run(new AbortController().signal)
  if (!(await link.whenConnected(CONNECT_MS))) throw new Error(`${label} did not connect`)
  const refused = await link.offer([{ name: label, port: 1 }])
  if (refused?.length !== 0) throw new Error(`the hub did not take the service of ${label}`)
}
