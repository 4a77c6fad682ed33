import type { Socket } from 'node:net'
import { agentCarries } from '../control/client.ts'
import type { Neighbours } from '../control/presence/neighbours.ts'
import type { AgentPresence } from '../control/presence/presence.ts'
import { codeOf, ConnectError } from '../errors.ts'
import { isOwnAddress } from '../net/own-address.ts'

/** How long an agent may take to answer, in ms; after that its answer is taken to be no. */
const TIMEOUT_MS = 100

/**
 * How many streams a client's connection has come through: the client may be an agent of this machine, which
 * dials a target for a stream.
 *
 * @returns undefined where no agent dials the ports of a `reach`: then nobody need be asked
 */
export function clientHops(client: Socket, neighbours: Neighbours): Promise<number> | undefined {
  const agents = neighbours.agents(({ chains }) => chains)
  // What follows asks the kernel, for each client.
  if (agents.length === 0) return undefined
  const { remoteAddress, remotePort } = client
  if (remoteAddress === undefined || !isOwnAddress(remoteAddress)) return undefined
  const asked = agents.map((agent) => hopsThrough(agent, remotePort!))
  return Promise.all(asked).then((hops) => Math.max(...hops))
}

async function hopsThrough(agent: AgentPresence, port: number): Promise<number> {
  try {
    const hops = (await agentCarries(agent, port, TIMEOUT_MS))?.hops
    return hops === undefined ? 0 : hops + 1
  } catch (error) {
    // The agent is busy, or just ending; or no descriptor is left to ask with.
    if (error instanceof ConnectError || codeOf(error) !== undefined) return 0
    throw error
  }
}
