import { readdirSync, readFileSync, readlinkSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { isDeepStrictEqual } from 'node:util'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { codeOf } from '../../src/errors.ts'
import type { ShownReach } from '../../src/tasks/reaches/shown-reach.ts'
import { residentBytes } from '../bench/processes/usage.ts'
import { connectOk, startConnect, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { until } from '../helpers/until.ts'
import { WatchedPort } from '../helpers/watched-port.ts'
import { World } from '../helpers/world.ts'
import { Cable } from '../tunnel/helpers/cable.ts'
import { soakSuite } from './helpers/soak.ts'
import { Talker, type Talk } from './helpers/talker.ts'

const TALKERS = 8
/** So many until all that is done then was done before. */
const WARM_LINKS = 5

/**
 * From a fault's end until all talk again. The far agent tries every 30 s at the latest, a connection that
 * waits is reset after 15 s, and the next one is carried.
 */
const BACK_MS = 90_000

/**
 * How much more memory the agent may use than after its first faults, when all code is compiled and
 * garbage is collected. Were the streams of one fault in two still there, with what they had on the
 * way, it would be more.
 */
const GROWTH_BYTES = 4_000_000
/**
 * The same of all that the system counts: with that come Node.js's own compilers once they are loaded,
 * and what was needed for a moment and stays with the allocator.
 */
const RESIDENT_GROWTH_BYTES = 64_000_000

const TELL_MEMORY = pathToFileURL(
  path.join(import.meta.dirname, '..', 'fixtures', 'programs', 'tell-memory.mjs'),
).href

soakSuite('a kept reach through all that a laptop and a hub go through', ({ random, length }) => {
  const counts = {
    links: length({ short: 15, long: 50 }),
    restarts: length({ short: 4, long: 10 }),
    /** In the long form streams come to their end: 30 s after a link that was silent for 24 s. */
    stopMs: length({ short: 1500, long: 60_000 }),
  }
  let world: World
  let cable: Cable
  let server: Home
  let laptop: Home
  let agent: RunningCli
  let port: number
  const talk: Talk = { rounds: 0, resets: 0, slowestMs: 0 }
  let talkers: Talker[] = []

  beforeAll(async () => {
    world = await World.start()
    server = await world.echoMachine()
    cable = await Cable.to(Number(new URL(world.hubUrl).port))
    laptop = world.emptyMachine('laptop')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(laptop, ['login', '--hub', `http://127.0.0.1:${cable.port}`], { env })
    await connectOk(server, ['daemon', 'start'])
    agent = world.keep(startConnect(laptop, ['up'], { env: { NODE_OPTIONS: `--import=${TELL_MEMORY}` } }))
    await agent.printed(/Connected to hub/)
    const kept = await connectOk(laptop, ['reach', 'echo', '--keep', '--json'])
    port = (JSON.parse(kept) as { reach: { port: number } }).reach.port
  })

  afterAll(async () => {
    await world.stop()
    await cable.close()
  })

  /** Waits until each connection, old or new, has had an echo since now. */
  async function allTalk(): Promise<void> {
    const before = talkers.map(({ heard }) => heard)
    const all = until(() => talkers.every(({ heard }, index) => heard > before[index]! + 1), {
      timeoutMs: BACK_MS,
      everyMs: 20,
    })
    await Promise.race([all, ...talkers.map(({ failed }) => failed.then(() => all))])
  }

  async function loseLink(): Promise<void> {
    cable.cut()
    await sleep(random.between(0, 300))
    cable.fix()
    await allTalk()
  }

  async function restartHub(signal: NodeJS.Signals): Promise<void> {
    await world.hub.stop(signal)
    await world.restartHub()
    await allTalk()
  }

  async function standStill(pid: number): Promise<void> {
    process.kill(pid, 'SIGSTOP')
    await sleep(counts.stopMs)
    process.kill(pid, 'SIGCONT')
    await allTalk()
  }

  test('has the same port, held all the while; connections go on or are reset, and nothing is left of them', async () => {
    const heldSince = await since()
    await whileTheyTalk(async () => {
      for (const signal of ['SIGKILL', 'SIGTERM'] as const) await restartHub(signal)
      for (let done = 0; done < WARM_LINKS; done++) await loseLink()
    })
    const before = await left()
    await whileTheyTalk(async () => {
      for (let done = 0; done < counts.links; done++) await loseLink()
      report(`${counts.links} lost links`)
      for (let done = 0; done < counts.restarts; done++) await restartHub(done % 2 ? 'SIGTERM' : 'SIGKILL')
      report(`${counts.restarts} restarts of the hub`)
      for (const pid of [world.hub.pid, ...agents()]) await standStill(pid)
      report(`${counts.stopMs / 1000} s of standing still, of the hub and of both agents`)
    })
    expect(await since()).toBe(heldSince)
    const asBefore = async () => isDeepStrictEqual((await left()).descriptors, before.descriptors)
    await until(asBefore, { timeoutMs: BACK_MS, everyMs: 500 }).catch(() => {})
    const after = await left()
    expect(after.descriptors).toEqual(before.descriptors)
    const [used, resident] = [after.used - before.used, after.resident - before.resident]
    console.log(
      `the agent uses ${inMegabytes(used)} more, and has ${inMegabytes(resident)} more of the machine`,
    )
    expect(used).toBeLessThan(GROWTH_BYTES)
    expect(resident).toBeLessThan(RESIDENT_GROWTH_BYTES)
  })

  async function whileTheyTalk(work: () => Promise<void>): Promise<void> {
    const clients = new WatchedPort(port)
    talkers = Array.from({ length: TALKERS }, () => new Talker(port, talk))
    await allTalk()
    await work()
    expect(await clients.stop()).toEqual([true])
    for (const talker of talkers) await talker.stop()
  }

  /** What the agents have while nobody talks. */
  async function left(): Promise<{ descriptors: string[][]; used: number; resident: number }> {
    await until(async () => (await reach()).connections === 0, { everyMs: 100 })
    // Those that are asked for this close their ends a moment later.
    const isQuiet = async () => {
      const earlier = agents().map(descriptorsOf)
      await sleep(500)
      return isDeepStrictEqual(agents().map(descriptorsOf), earlier)
    }
    await until(isQuiet)
    const asked = agent.stderr.length
    agent.kill('SIGUSR2')
    const answer = () => /in use: (\d+) bytes/.exec(agent.stderr.slice(asked))
    await until(answer)
    return {
      descriptors: agents().map(descriptorsOf),
      used: Number(answer()![1]),
      resident: residentBytes([agent.pid]),
    }
  }

  function agents(): number[] {
    return [agent.pid, pidOf(server)]
  }

  async function reach(): Promise<ShownReach> {
    const { reaches } = JSON.parse(await connectOk(laptop, ['reach', '--json'])) as { reaches: [ShownReach] }
    return reaches[0]
  }

  /** Since when the port has been held. */
  async function since(): Promise<string | null> {
    const reached = await reach()
    expect(reached).toMatchObject({ port, held: true, failure: null })
    return reached.since
  }

  function report(after: string): void {
    const { rounds, resets, slowestMs } = talk
    const slowest = `${(slowestMs / 1000).toFixed(1)} s`
    const has = inMegabytes(residentBytes([agent.pid]))
    console.log(`${after}: ${rounds} echoes, ${resets} resets, the slowest ${slowest}; the agent has ${has}`)
  }
})

function inMegabytes(bytes: number): string {
  return `${(bytes / 1e6).toFixed(1)} MB`
}

function pidOf(home: Home): number {
  return Number(readFileSync(home.file('daemon.pid'), 'utf8'))
}

/** What each is for, without the numbers that change. */
function descriptorsOf(pid: number): string[] {
  const folder = `/proc/${pid}/fd`
  return readdirSync(folder)
    .map((fd) => targetOf(`${folder}/${fd}`))
    .toSorted()
}

function targetOf(fd: string): string {
  try {
    return readlinkSync(fd).replace(/:\[\d+\]$/, '')
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    // It was closed meanwhile.
    return 'closed'
  }
}
