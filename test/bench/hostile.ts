import path from 'node:path'
import { formatTable } from '../../src/cli/format/table.ts'
import { connectOk } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { FLOODS } from '../tunnel/helpers/floods.ts'
import { RealHub } from '../tunnel/helpers/real-hub.ts'
import { Worker } from './processes/worker.ts'
import type { ClientJobs } from './programs/client.ts'
import type { HostileJobs } from './programs/hostile.ts'
import type { TargetJobs } from './programs/target.ts'
import { quantile } from './statistics.ts'
import { stopAll } from './topologies/stop-all.ts'

const SERVICE = 'bench'
const LISTS = 'lists of services that differ'
/** How many times as long as when it is quiet a round trip may take. */
const SLOWER = 3
const LONGEST_MS = 250
const JOIN_MS = 2000
const REVOCATION_MS = 1000

const programs = path.join(import.meta.dirname, 'programs')

/**
 * Prints how much a member that sends without end slows another one, whose bytes only share the hub with it.
 */
export async function benchHostile({ quick }: { quick: boolean }): Promise<void> {
  const forMs = quick ? 1000 : 5000
  const world = await World.start()
  const target = new Worker<TargetJobs>(path.join(programs, 'target.ts'))
  const client = new Worker<ClientJobs>(path.join(programs, 'client.ts'))
  const hostile = new Worker<HostileJobs>(path.join(programs, 'hostile.ts'))
  try {
    const [server, caller] = [await world.machine('server'), await world.machine('caller')]
    await connectOk(server, ['daemon', 'start'])
    const address = `127.0.0.1:${await target.ask('port', undefined)}`
    await connectOk(server, ['expose', address, '--name', SERVICE])
    const { port } = await world.reach(caller, SERVICE)
    const token = await world.joinToken(['--uses', '1000'])
    await hostile.ask('join', { hub: world.hubUrl, token })
    const attacks: [string, () => Promise<number>][] = [
      ...Object.keys(FLOODS).map(
        (name) =>
          [name, () => hostile.ask('flood', { name, service: SERVICE, forMs: 1.5 * forMs })] as [
            string,
            () => Promise<number>,
          ],
      ),
      ['links that come and go', () => hostile.ask('storm', { forMs: 1.5 * forMs })],
    ]
    const rows = [['', 'quiet, p50', 'p50', 'times', 'max', `at most ${SLOWER} times, ${LONGEST_MS} ms`]]
    for (const [name, attack] of attacks) {
      const quiet = await client.ask('ping', { port, forMs })
      const done = attack()
      const beside = await client.ask('ping', { port, forMs })
      await done
      rows.push(rowOf(name, quiet, beside))
    }
    console.log('Round trips of a byte, in ms, while another member sends without end:')
    for (const line of formatTable(rows)) console.log(line)
    for (const line of await registryRows(world, hostile, token, forMs)) console.log(line)
  } finally {
    await stopAll([target, client, hostile])
    await world.stop()
  }
}

function rowOf(name: string, quiet: readonly number[], beside: readonly number[]): string[] {
  const [before, during] = [quantile(quiet, 0.5), quantile(beside, 0.5)]
  const longest = Math.max(...beside)
  const holds = during <= SLOWER * before && longest < LONGEST_MS
  const figures = [before, during, during / before].map((figure) => figure.toFixed(2))
  return [name, ...figures, longest.toFixed(0), holds ? 'yes' : 'no']
}

/** How long a join and a revocation take while a member’s list of services changes all the time. */
async function registryRows(
  world: World,
  hostile: Worker<HostileJobs>,
  token: string,
  forMs: number,
): Promise<string[]> {
  const hub = await RealHub.at(world.hubUrl, async () => token)
  const quiet = await registryTimes(world, hub)
  const done = hostile.ask('flood', { name: LISTS, service: SERVICE, forMs: 2 * forMs })
  const beside = await registryTimes(world, hub)
  await done
  await hub.stop()
  const row = (title: string, which: keyof typeof quiet, most: number) => [
    title,
    quiet[which].toFixed(0),
    beside[which].toFixed(0),
    String(most),
    beside[which] < most ? 'yes' : 'no',
  ]
  return [
    '',
    `In ms, during ${LISTS}:`,
    ...formatTable([
      ['', 'quiet', 'beside', 'at most', ''],
      row('a join', 'join', JOIN_MS),
      row('a revocation, with the command', 'revocation', REVOCATION_MS),
    ]),
  ]
}

async function registryTimes(world: World, hub: RealHub): Promise<{ join: number; revocation: number }> {
  const began = performance.now()
  const joined = await hub.join()
  const join = performance.now() - began
  const peer = await hub.link(joined)
  const asked = performance.now()
  await Promise.all([connectOk(world.hubHome, ['hub', 'agent', 'revoke', joined.agentId]), peer.closed])
  return { join, revocation: performance.now() - asked }
}
