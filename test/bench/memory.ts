import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { formatTable } from '../../src/cli/format/table.ts'
import { connectOk } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { Program } from './processes/program.ts'
import { canTellUsage, processTree, residencyOf, type Residency } from './processes/usage.ts'
import { Worker } from './processes/worker.ts'
import type { ClientJobs } from './programs/client.ts'
import type { TargetJobs } from './programs/target.ts'
import { stopAll } from './topologies/stop-all.ts'

const SERVICE = 'bench'
/** Of what an idle process has beyond a bare Node.js, in MB. */
const IDLE_TARGETS: Record<string, number> = { hub: 28, agent: 22, reach: 18 }
/** The same for all three together, after the load. */
const LOADED_TARGET = 110
const GB = 1e9
const SETTLE_MS = 15_000

const FULL = { transfers: 10, afterLoadMs: 120_000 }
const QUICK = { transfers: 1, afterLoadMs: 15_000 }

const programs = path.join(import.meta.dirname, 'programs')

/** Prints how much memory hub, agent and reach have beyond a bare Node.js: idle, and after a load. */
export async function benchMemory({ quick }: { quick: boolean }): Promise<void> {
  if (!canTellUsage) return console.log('This system does not tell how much memory a process has.')
  const { transfers, afterLoadMs } = quick ? QUICK : FULL
  const world = await World.start()
  const target = new Worker<TargetJobs>(path.join(programs, 'target.ts'))
  const client = new Worker<ClientJobs>(path.join(programs, 'client.ts'))
  const { folder, env } = world.hubHome
  const bare = new Program(process.execPath, ['-e', 'setInterval(() => {}, 1e9)'], { folder, env })
  try {
    const [server, caller] = [await world.machine('server'), await world.machine('caller')]
    const started = await connectOk(server, ['daemon', 'start', '--json'])
    const { pid: agent } = JSON.parse(started) as { pid: number }
    const address = `127.0.0.1:${await target.ask('port', undefined)}`
    await connectOk(server, ['expose', address, '--name', SERVICE])
    const { port, cli } = await world.reach(caller, SERVICE)
    const pids = { hub: world.hub.pid, agent, reach: cli.pid }
    const read = () => beyond(residencyOf([bare.pid]), pids)

    await sleep(SETTLE_MS)
    const idle = read()
    for (let n = 0; n < transfers; n++)
      await client.ask('transfer', {
        port,
        direction: n % 2 === 0 ? 'up' : 'down',
        streams: 1,
        bytes: GB,
        checked: false,
        watched: [],
      })
    await sleep(afterLoadMs)
    const loaded = read()

    console.log('Memory in MB beyond that of a bare Node.js:')
    for (const line of formatTable([
      ['', 'idle: RSS', 'PSS', 'at most', '', `${afterLoadMs / 1000} s after ${transfers} GB: RSS`, 'PSS'],
      ...Object.keys(pids).map((name) => rowOf(name, idle[name]!, loaded[name]!)),
    ]))
      console.log(line)
    const sum = Object.values(loaded).reduce((total, { rss }) => total + rss, 0)
    const { rss, pss } = residencyOf(processTree(agent).slice(1))
    console.log(`The agent's watchdog is processes of their own: RSS ${inMb(rss)}, PSS ${inMb(pss)}`)
    console.log(
      `After the load all three: ${sum.toFixed(1)}, at most ${LOADED_TARGET}: ${sum <= LOADED_TARGET ? 'met' : 'not met'}`,
    )
  } finally {
    await stopAll([target, client, bare])
    await world.stop()
  }
}

const inMb = (bytes: number): string => (bytes / 2 ** 20).toFixed(1)

function beyond(bare: Residency, pids: Record<string, number>): Record<string, Residency> {
  const of = (pid: number) => {
    const { rss, pss } = residencyOf([pid])
    return { rss: (rss - bare.rss) / 2 ** 20, pss: (pss - bare.pss) / 2 ** 20 }
  }
  return Object.fromEntries(Object.entries(pids).map(([name, pid]) => [name, of(pid)]))
}

function rowOf(name: string, idle: Residency, loaded: Residency): string[] {
  const target = IDLE_TARGETS[name]!
  const [rss, pss, rssAfter, pssAfter] = [idle.rss, idle.pss, loaded.rss, loaded.pss].map((mb) =>
    mb.toFixed(1),
  )
  return [name, rss!, pss!, String(target), idle.rss <= target ? 'met' : 'not met', rssAfter!, pssAfter!]
}
