// The client of a tunnel: does what the bench asks for, and takes the time.
import { setTimeout as sleep } from 'node:timers/promises'
import { NUMBER_BYTES } from '../processes/trace-hook.ts'
import { work } from '../processes/worker.ts'
import { transfer, type Transfer, type Transferred } from './client-transfer.ts'
import { Connection } from './connection.ts'
import { sendPattern } from './pattern.ts'

/** A ping that the processes on its way look for. Times are those of the machine’s monotonic clock, in ms. */
export interface Traced {
  readonly ping: number
  readonly sent: number
  readonly received: number
}

export interface ClientJobs {
  transfer: { input: Transfer; output: Transferred }
  /** Round trips of one byte on one connection. Answers with the time of each, in ms. */
  ping: { input: { port: number; forMs: number }; output: number[] }
  /** Pings that begin with a marker, each with a number behind it. */
  trace: { input: { port: number; forMs: number; marker: string; first: number }; output: Traced[] }
  /**
   * New connections, one after the other, each with one byte there and back. Answers with the time of each,
   * in ms.
   */
  connect: { input: { port: number; count: number }; output: number[] }
  /** As many such connections as go, fifty at a time. */
  connectMany: { input: { port: number; forMs: number }; output: { count: number; seconds: number } }
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
  async trace({ port, forMs, marker, first }) {
    const connection = await Connection.open(port, { mode: 'echo', bytes: 0 })
    const pings: Traced[] = []
    for (const end = performance.now() + forMs; performance.now() < end;) {
      const ping = first + pings.length
      const bytes = Buffer.concat([Buffer.from(marker, 'hex'), Buffer.alloc(NUMBER_BYTES)])
      bytes.writeUInt32BE(ping, bytes.length - NUMBER_BYTES)
      const sent = monotonicMs()
      await connection.roundTrip(bytes)
      pings.push({ ping, sent, received: monotonicMs() })
      await sleep(PING_PAUSE_MS)
    }
    connection.destroy()
    return pings
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
    return { count, seconds: (performance.now() - start) / 1000 }
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

function monotonicMs(): number {
  return Number(process.hrtime.bigint()) / 1e6
}

/** @returns ms */
async function connectOnce(port: number): Promise<number> {
  const start = performance.now()
  const connection = await Connection.open(port, { mode: 'echo', bytes: 0 })
  await connection.roundTrip()
  const taken = performance.now() - start
  connection.destroy()
  return taken
}
