import { performance } from 'node:perf_hooks'
import { beforeAll, expect, onTestFinished, test } from 'vitest'
import { MAX_STREAMS, SHARE_OF_FREE } from '../../src/tunnel/protocol/limits.ts'
import { connectOk, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'
import { Cable } from '../tunnel/helpers/cable.ts'
import { residentBytes } from './helpers/memory.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { dial } from './helpers/socket.ts'
import { labSuite } from './helpers/suite.ts'

const CONNECTIONS = 1100
const BEYOND = CONNECTIONS - MAX_STREAMS
/** As many of these as one machine gets of a service's streams. */
const ALONE = (MAX_STREAMS * SHARE_OF_FREE) / (SHARE_OF_FREE + 1)
const CARRIED = { answered: ALONE, ECONNRESET: MAX_STREAMS - ALONE }
const GROWTH_BYTES = 100_000_000

labSuite('connections that come to reach while its link is down', {}, () => {
  const own = ownedBySuite()
  let world: World
  let cable: Cable
  let client: Home

  beforeAll(async () => {
    world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    const echo = own(await echoServer(), (it) => it.close())
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `127.0.0.1:${echo.port}`, '--name', 'echo'])
    cable = own(await Cable.to(Number(new URL(world.hubUrl).port)), (it) => it.close())
    client = world.emptyMachine('client')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(client, ['login', '--hub', `http://127.0.0.1:${cable.port}`, '--label', 'client'], {
      env,
    })
  })

  function cutCable(): void {
    cable.cut()
    onTestFinished(() => cable.fix())
  }

  /** Dials more connections than may be held, and waits until those beyond the limit are reset. */
  async function dialTooMany(lose: () => unknown): Promise<{ reach: RunningCli; held: Caller[] }> {
    const { port, cli: reach } = await world.reach(client, 'echo')
    // Last of all, over a cable that is whole again: its streams would count beside the next test’s.
    onTestFinished(() => reach.stop())
    await lose()
    await reach.printed(/Reconnecting (in|at once)/)
    const before = residentBytes(reach.pid)
    const callers = Array.from({ length: CONNECTIONS }, (_, index) => new Caller(port, `caller ${index}`))
    onTestFinished(() => callers.forEach((caller) => caller.hangUp()))
    const began = performance.now()
    const reset = () => callers.filter(({ ending }) => ending !== undefined)
    await until(() => reset().length >= BEYOND, { timeoutMs: 10_000 })
    const resetMs = performance.now() - began
    expect(reset().map(({ ending }) => ending)).toEqual(Array.from({ length: BEYOND }, () => 'ECONNRESET'))
    const grown = residentBytes(reach.pid) - before
    console.log(
      `${BEYOND} reset after ${resetMs.toFixed(0)} ms, reach grew by ${(grown / 1e6).toFixed(0)} MB`,
    )
    expect(grown).toBeLessThan(GROWTH_BYTES)
    return { reach, held: callers.filter(({ ending }) => ending === undefined) }
  }

  /** Waits until each has its answer or has come to an end, and tells how. */
  async function outcomes(held: readonly Caller[]): Promise<Record<string, number>> {
    await until(() => held.every(({ outcome }) => outcome !== 'waits'))
    const byOutcome = Object.groupBy(held, ({ outcome }) => outcome)
    return Object.fromEntries(Object.entries(byOutcome).map(([outcome, those]) => [outcome, those!.length]))
  }

  test('as many as a link carries are held, and its share is carried once it is back; more are reset at once', async () => {
    const { reach, held } = await dialTooMany(cutCable)
    cable.fix()
    await reach.printed(/Reconnected to hub/)
    expect(await outcomes(held)).toEqual(CARRIED)
  })

  test('reach says why it resets those beyond the limit', async () => {
    const { reach } = await dialTooMany(cutCable)
    await reach.printed(/\[x\] .*1,?024/, 5000)
  })

  test('those that are held are reset when the link stays down for 15 s, and reach says why', async () => {
    const { reach, held } = await dialTooMany(cutCable)
    expect(await outcomes(held)).toEqual({ ECONNRESET: MAX_STREAMS })
    await reach.printed(/\[x\] A connection was dropped: no link to the hub/)
  })

  test('of those that are held a share is carried once a hub that was killed is back', async () => {
    const { reach, held } = await dialTooMany(() => world.hub.stop('SIGKILL'))
    await world.restartHub()
    await reach.printed(/Reconnected to hub/)
    expect(await outcomes(held)).toEqual(CARRIED)
  })
})

/** A client that says something as soon as it is connected, to hear the same. */
class Caller {
  readonly #socket
  readonly #said: string
  #heard = ''
  /** How its connection ended: `end`, or an error's code. */
  ending: string | undefined

  constructor(port: number, said: string) {
    this.#said = said
    this.#socket = dial(port)
    this.#socket.on('data', (chunk: Buffer) => (this.#heard += String(chunk)))
    this.#socket.on('end', () => (this.ending ??= 'end'))
    this.#socket.on('error', (error: NodeJS.ErrnoException) => (this.ending ??= error.code))
    this.#socket.write(said)
  }

  get outcome(): string {
    if (this.ending !== undefined) return this.ending
    return this.#heard === this.#said ? 'answered' : 'waits'
  }

  hangUp(): void {
    this.#socket.destroy()
  }
}
