// Very many agents in one process.
import { work } from '../../bench/processes/worker.ts'
import { SimulatedAgent, type Attempts } from './simulated-agent.ts'

export interface Tally {
  readonly joined: number
  readonly up: number
  readonly attempts: number
  readonly failed: Readonly<Record<string, number>>
}

export interface SimulatedJobs {
  join: { input: { hub: string; token: string; count: number; prefix: string }; output: undefined }
  /** They begin all at once, and come back until the process ends. */
  connect: { input: undefined; output: undefined }
  tally: { input: undefined; output: Tally }
}

const AT_A_TIME = 16
const TICK_MS = 1000

const agents: SimulatedAgent[] = []
const attempts: Attempts = { made: 0, failed: new Map() }

work<SimulatedJobs>({
  async join({ hub, token, count, prefix }) {
    const last = agents.length + count
    let number = agents.length
    const next = async () => {
      while (number < last)
        agents.push(await SimulatedAgent.join(hub, token, `${prefix}-${number++}`, attempts))
    }
    await Promise.all(Array.from({ length: AT_A_TIME }, next))
  },
  connect() {
    // One that gives up ends the process, by an unhandled rejection.
    for (const agent of agents) void agent.run(new AbortController().signal)
    setInterval(() => agents.forEach((agent) => agent.tick()), TICK_MS)
  },
  tally() {
    const up = agents.filter((agent) => agent.isUp).length
    const { made, failed } = attempts
    return { joined: agents.length, up, attempts: made, failed: Object.fromEntries(failed) }
  },
})
