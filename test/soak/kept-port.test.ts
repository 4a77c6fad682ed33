import { once } from 'node:events'
import { readdirSync } from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import { relayTo, type Relay } from '../helpers/faults/relay.ts'
import type { Home } from '../helpers/home.ts'
import { echoed } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'
import { World } from '../helpers/world.ts'
import { residentBytes } from '../lab/helpers/memory.ts'
import { soakSuite } from './helpers/soak.ts'

/** Longer than a stream waits for another link. */
const STOPPED_MS = 45_000

/** How many connections are open through each trouble. */
const CONNECTIONS = 8

/** What memory may come to besides, in bytes: garbage that is not collected yet. */
const SLACK_BYTES = 64 * 1024 * 1024

soakSuite(
  'a kept port through lost links, hubs that are started again, and an agent that stands still',
  ({ length }) => {
    let world: World
    let relay: Relay
    let laptop: Home
    let port: number
    let pid: number

    beforeAll(async () => {
      world = await World.start()
      await connectOk(await world.echoMachine(), ['daemon', 'start'])
      relay = await relayTo(Number(new URL(world.hubUrl).port))
      laptop = world.emptyMachine('laptop')
      const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
      await connectOk(laptop, ['login', '--hub', `http://127.0.0.1:${relay.port}`], { env })
      await connectOk(laptop, ['daemon', 'start'])
      const { reach } = JSON.parse(await connectOk(laptop, ['reach', 'echo', '--keep', '--json'])) as {
        reach: { port: number }
      }
      port = reach.port
      pid = (JSON.parse(await connectOk(laptop, ['daemon', 'status', '--json'])) as { pid: number }).pid
    })

    afterAll(async () => {
      await relay.close()
      await world.stop()
    })

    test('stays the same, carries what is new, and what was open goes on or is reset', async () => {
      await through(async () => relay.cut())
      const [descriptors, memory] = [descriptorsOf(pid), residentBytes(pid)]

      const ends = { went: 0, reset: 0 }
      const trouble = async (make: () => Promise<void>) => {
        const { went, reset } = await through(make)
        ends.went += went
        ends.reset += reset
      }
      for (let n = 0; n < length({ short: 10, long: 50 }); n++) await trouble(async () => relay.cut())
      for (let n = 0; n < length({ short: 2, long: 10 }); n++) {
        await trouble(async () => {
          await world.hub.stop(n % 2 === 0 ? 'SIGTERM' : 'SIGKILL')
          await world.restartHub()
        })
      }
      for (let n = 0; n < length({ short: 1, long: 3 }); n++) {
        await trouble(async () => {
          process.kill(pid, 'SIGSTOP')
          await sleep(STOPPED_MS)
          process.kill(pid, 'SIGCONT')
        })
      }
      console.log(`${ends.went} connections went on, ${ends.reset} were reset`)
      const { reaches } = JSON.parse(await connectOk(laptop, ['reach', '--json'])) as { reaches: unknown[] }
      expect(reaches).toMatchObject([{ port, held: true, connections: 0, failure: null }])
      await until(() => descriptorsOf(pid) <= descriptors)
      expect(residentBytes(pid) - memory).toBeLessThan(SLACK_BYTES)
    })

    /** @returns what became of the connections that were open all the while */
    async function through(make: () => Promise<void>): Promise<{ went: number; reset: number }> {
      const open = await Promise.all(Array.from({ length: CONNECTIONS }, () => connected()))
      await make()
      await until(async () => (await echoed(port, 'new').catch(() => '')) === 'new', { everyMs: 50 })
      const went = await Promise.all(open.map((socket) => answers(socket)))
      for (const socket of open) socket.destroy()
      const count = went.filter(Boolean).length
      return { went: count, reset: went.length - count }
    }

    async function connected(): Promise<Socket> {
      const socket = dial(port, '127.0.0.1').on('error', () => {})
      socket.write('hello')
      await once(socket, 'data')
      return socket
    }
  },
)

/** Whether a connection goes on; else it was reset. @throws Error if it hangs */
async function answers(socket: Socket): Promise<boolean> {
  if (socket.destroyed) return false
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => reject(new Error('neither an answer nor a reset')), 60_000)
  socket.once('data', () => resolve(true)).once('close', () => resolve(false))
  socket.write('still there')
  return promise.finally(() => clearTimeout(timer))
}

function descriptorsOf(pid: number): number {
  return readdirSync(`/proc/${pid}/fd`).length
}
