import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { cpuSeconds, residentBytes } from '../bench/processes/usage.ts'
import { Worker } from '../bench/processes/worker.ts'
import { World } from '../helpers/world.ts'
import { SimulatedAgent } from './helpers/simulated-agent.ts'
import type { SimulatedJobs, Tally } from './helpers/simulated-agents.ts'
import { soakSuite } from './helpers/soak.ts'

const PROCESSES = 2
const JOINED_AT_A_TIME = 250

/** What would be an outage; what is seen is far less. */
const ALL_BACK_MS = 120_000
const LINK_ANSWER_MS = 5000
/** When a command gives up. Whoever comes anew stands behind all the others that do. */
const API_ANSWER_MS = 10_000

const ASK_EVERY_MS = 100

const agentsProgram = path.join(import.meta.dirname, 'helpers', 'simulated-agents.ts')

interface Return {
  readonly tookMs: number
  /** The longest that a request on a connection of its own took. */
  readonly slowestApiMs: number
  /** The same over the link of a neighbour that was up already. */
  readonly slowestLinkMs: number
  /** The most that the hub had while they came. */
  readonly residentBytes: number
}

soakSuite('a hub that is killed while very many agents are connected', ({ length }) => {
  test('has them all back soon, and answers others meanwhile', async () => {
    const count = length({ short: 300, long: 10_000 })
    const world = await World.start()
    onTestFinished(() => world.stop())
    const token = await world.joinToken(['--uses', '20000', '--ttl', '6h'])
    const crowds = Array.from({ length: PROCESSES }, () => new Worker<SimulatedJobs>(agentsProgram))
    onTestFinished(async () => void (await Promise.all(crowds.map((crowd) => crowd.stop()))))

    await Promise.all(
      crowds.map(async (crowd, index) => {
        for (let left = count / PROCESSES; left > 0; left -= JOINED_AT_A_TIME) {
          const input = { hub: world.hubUrl, token, prefix: `crowd-${index}` }
          await crowd.ask('join', { ...input, count: Math.min(left, JOINED_AT_A_TIME) })
        }
      }),
    )
    report('joined', world)

    const over = new AbortController()
    const neighbour = await SimulatedAgent.join(world.hubUrl, token, 'neighbour', {
      made: 0,
      failed: new Map(),
    })
    const neighbours = neighbour.run(over.signal)
    onTestFinished(async () => {
      over.abort()
      await neighbours
    })
    for (const crowd of crowds) await crowd.ask('connect', undefined)
    const first = await comeBack(crowds, count, world, neighbour)
    report('connected for the first time, all at once', world, first)

    world.hub.kill('SIGKILL')
    await world.hub.exited
    // Some have tried again by now, in vain.
    const before = await tallyOf(crowds)
    await world.restartHub()
    const again = await comeBack(crowds, count, world, neighbour)
    const after = await tallyOf(crowds)
    report('came back', world, again)
    console.log(
      `${after.attempts - before.attempts} attempts; all that failed: ${JSON.stringify(after.failed)}`,
    )

    for (const { slowestApiMs, slowestLinkMs } of [first, again]) {
      expect(slowestLinkMs).toBeLessThan(LINK_ANSWER_MS)
      expect(slowestApiMs).toBeLessThan(API_ANSWER_MS)
    }
  })
})

/** Until all are connected. */
async function comeBack(
  crowds: readonly Worker<SimulatedJobs>[],
  count: number,
  world: World,
  neighbour: SimulatedAgent,
): Promise<Return> {
  const began = performance.now()
  let [slowestApiMs, slowestLinkMs, resident] = [0, 0, 0]
  const allBack = async () => {
    const up = (await tallyOf(crowds)).up
    return up === count && neighbour.isUp ? performance.now() - began : undefined
  }
  const over = new AbortController()
  const repeat = async (work: () => Promise<void>) => {
    while (!over.signal.aborted) {
      await work()
      await sleep(ASK_EVERY_MS)
    }
  }
  const watched = Promise.all([
    repeat(async () => {
      slowestApiMs = Math.max(slowestApiMs, await apiAnswer(world.hubUrl))
    }),
    repeat(async () => {
      slowestLinkMs = Math.max(slowestLinkMs, (await neighbour.ask()) ?? 0)
      neighbour.tick()
      resident = Math.max(resident, residentBytes([world.hub.pid]))
    }),
  ])
  const tookMs = await waitFor(allBack, { timeoutMs: ALL_BACK_MS, everyMs: 250 })
  over.abort()
  // A hub that has ended shows here.
  await watched
  const { up, failed } = await tallyOf(crowds)
  expect(tookMs, `${up} of ${count} are back: ${JSON.stringify(failed)}`).toBeDefined()
  return { tookMs: tookMs!, slowestApiMs, slowestLinkMs, residentBytes: resident }
}

async function apiAnswer(hub: string): Promise<number> {
  const began = performance.now()
  const [answer] = (await once(get(`${hub}/healthz`, { agent: false }), 'response')) as [IncomingMessage]
  answer.resume()
  expect(answer.statusCode).toBe(200)
  return performance.now() - began
}

async function tallyOf(crowds: readonly Worker<SimulatedJobs>[]): Promise<Tally> {
  const sum = { joined: 0, up: 0, attempts: 0, failed: {} as Record<string, number> }
  for (const { joined, up, attempts, failed } of await Promise.all(
    crowds.map((crowd) => crowd.ask('tally', undefined)),
  )) {
    sum.joined += joined
    sum.up += up
    sum.attempts += attempts
    for (const [code, times] of Object.entries(failed)) sum.failed[code] = (sum.failed[code] ?? 0) + times
  }
  return sum
}

function report(what: string, { hub }: World, come?: Return): void {
  const megabytes = (bytes: number) => `${Math.round(bytes / 1024 / 1024)} MB`
  const seconds = (ms: number) => `${(ms / 1000).toFixed(1)} s`
  const words = [
    `${what}; the hub has ${megabytes(residentBytes([hub.pid]))}, and took ${cpuSeconds([hub.pid]).toFixed(1)} s of CPU time`,
  ]
  if (come) {
    const { tookMs, slowestApiMs, slowestLinkMs, residentBytes: most } = come
    words.push(`took ${seconds(tookMs)}`, `at the most ${megabytes(most)}`)
    words.push(`slowest answer: ${seconds(slowestApiMs)} over HTTP, ${seconds(slowestLinkMs)} over a link`)
  }
  console.log(words.join('; '))
}
