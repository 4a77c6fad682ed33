// The client of a tunnel: does what the bench asks for, and takes the time.
import { setTimeout as sleep } from 'node:timers/promises'
import { work } from '../processes/worker.ts'
import { transfer, type Transfer, type Transferred } from './client-transfer.ts'
import { Connection } from './connection.ts'
import { sendPattern } from './pattern.ts'

export interface ClientJobs {
  transfer: { input: Transfer; output: Transferred }
  /** Round trips of one byte on one connection. Answers with the time of each, in ms. */
  ping: { input: { port: number; forMs: number }; output: number[] }
  /**
   * New connections, one after the other, each with one byte there and back. Answers with the time of each,
   * in ms.
   */
  connect: { input: { port: number; count: number }; output: number[] }
  /** As many such connections as go, fifty at a time. Answers with how many a second. */
  connectMany: { input: { port: number; forMs: number }; output: number }
  /** Sends without end until `release`. */
  load: { input: { port: number }; output: undefined }
  /** Opens connections that stay, each used once, until `release`. */
  hold: { input: { port: number; count: number }; output: undefined }
  release: { input: undefined; output: undefined }
}

const WARM_UP_PINGS = 20
/** Without one, the quick moments would be asked about most often. */
const PING_PAUSE_MS = 2
const CONNECT_AT_A_TIME = 50
/** By then the load fills every buffer on its way. */
const LOAD_SETTLES_MS = 200

let held: Connection[] = []

work<ClientJobs>({
  transfer,
  async ping({ port, forMs }) {
    const connection = await Connection.open(port, { mode: 'echo', bytes: 0 })
    for (let n = 0; n < WARM_UP_PINGS; n++) await connection.roundTrip()
    const times: number[] = []
    for (const end = performance.now() + forMs; performance.now() < end;) {
      times.push(await connection.roundTrip())
      await sleep(PING_PAUSE_MS)
    }
    connection.destroy()
    return times
  },
  async connect({ port, count }) {
    const times: number[] = []
    for (let n = 0; n < count; n++) times.push(await connectOnce(port))
    return times
  },
  async connectMany({ port, forMs }) {
    const start = performance.now()
    let count = 0
    const one = async () => {
      while (performance.now() - start < forMs) {
        await connectOnce(port)
        count++
      }
    }
    await Promise.all(Array.from({ length: CONNECT_AT_A_TIME }, one))
    return (count * 1000) / (performance.now() - start)
  },
  async load({ port }) {
    const connection = await Connection.open(port, { mode: 'sink', bytes: Number.MAX_SAFE_INTEGER })
    sendPattern(connection.socket, Number.MAX_SAFE_INTEGER)
    held.push(connection)
    await sleep(LOAD_SETTLES_MS)
  },
  async hold({ port, count }) {
    for (let n = 0; n < count; n++) {
      const connection = await Connection.open(port, { mode: 'echo', bytes: 0 })
      held.push(connection)
      await connection.roundTrip()
    }
  },
  release() {
    for (const connection of held) connection.destroy()
    held = []
  },
})

/** @returns ms */
async function connectOnce(port: number): Promise<number> {
  const start = performance.now()
  const connection = await Connection.open(port, { mode: 'echo', bytes: 0 })
  await connection.roundTrip()
  const taken = performance.now() - start
  connection.destroy()
  return taken
}
