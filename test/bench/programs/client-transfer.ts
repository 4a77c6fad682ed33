import { crc32 } from 'node:zlib'
import { cpuSeconds, exactCpuSeconds } from '../processes/usage.ts'
import { Connection } from './connection.ts'
import { patternChecksum, sendPattern } from './pattern.ts'

export interface Transfer {
  readonly port: number
  readonly direction: 'up' | 'down'
  readonly streams: number
  /** On each stream. */
  readonly bytes: number
  /** Whether the bytes themselves are looked at, which takes time. */
  readonly checked: boolean
  /** Groups of processes whose CPU time is taken, once all connections are open. */
  readonly watched: readonly (readonly number[])[]
  /** Takes it to the microsecond, of these processes alone. Default: to 10 ms, with all that came of them. */
  readonly exact?: boolean
}

export interface Transferred {
  readonly seconds: number
  /** CPU seconds of each group. */
  readonly cpu: readonly number[]
}

/** @throws Error if other bytes arrived than were sent */
export async function transfer(asked: Transfer): Promise<Transferred> {
  const { port, direction, streams, bytes, checked, watched } = asked
  const cpuOf = asked.exact ? exactCpuSeconds : cpuSeconds
  const upMode = checked ? 'checked sink' : 'sink'
  const connections = await Promise.all(
    Array.from({ length: streams }, () =>
      Connection.open(port, { mode: direction === 'up' ? upMode : 'source', bytes }),
    ),
  )
  const before = watched.map(cpuOf)
  const start = performance.now()
  const checksums = await Promise.all(
    connections.map((each) => (direction === 'up' ? send(each, bytes) : receive(each, bytes, checked))),
  )
  const seconds = (performance.now() - start) / 1000
  // Before the connections end: with some tunnels, so do processes.
  const cpu = watched.map((group, index) => cpuOf(group) - before[index]!)
  for (const connection of connections) connection.destroy()
  const expected = checked ? patternChecksum(bytes) : 0
  if (checksums.some((checksum) => checksum !== expected)) throw new Error(`wrong bytes ${direction}`)
  return { seconds, cpu }
}

/** @returns the checksum that the target has found */
async function send(connection: Connection, bytes: number): Promise<number> {
  sendPattern(connection.socket, bytes)
  return (await connection.next()).readUInt32BE(0)
}

async function receive(connection: Connection, bytes: number, checked: boolean): Promise<number> {
  let received = 0
  let checksum = 0
  const all = connection.receive((chunk) => {
    received += chunk.length
    if (checked) checksum = crc32(chunk, checksum)
    return received >= bytes
  })
  connection.socket.write(Buffer.of(0))
  await all
  if (received > bytes) throw new Error('more bytes came than were sent')
  return checksum
}
