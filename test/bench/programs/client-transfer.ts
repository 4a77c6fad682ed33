import type { Socket } from 'node:net'
import { crc32 } from 'node:zlib'
import { cpuSeconds } from '../processes/usage.ts'
import { open } from './client-socket.ts'
import { patternChecksum, sendPattern } from './pattern.ts'

export interface Transfer {
  readonly port: number
  readonly direction: 'up' | 'down'
  readonly streams: number
  /** On each stream. */
  readonly bytes: number
  /** Whether the bytes themselves are looked at, which takes time. */
  readonly checked: boolean
  /** Groups of processes whose CPU time is taken. */
  readonly watched: readonly (readonly number[])[]
}

export interface Transferred {
  readonly seconds: number
  /** CPU seconds of each group. */
  readonly cpu: readonly number[]
}

/** @throws Error if other bytes arrived than were sent */
export async function transfer(asked: Transfer): Promise<Transferred> {
  const { port, direction, streams, bytes, checked, watched } = asked
  const upMode = checked ? 'checked sink' : 'sink'
  const sockets = await Promise.all(
    Array.from({ length: streams }, () =>
      open(port, { mode: direction === 'up' ? upMode : 'source', bytes }),
    ),
  )
  const before = watched.map(cpuSeconds)
  const start = performance.now()
  const checksums = await Promise.all(
    sockets.map((socket) => (direction === 'up' ? send(socket, bytes) : receive(socket, bytes, checked))),
  )
  const seconds = (performance.now() - start) / 1000
  // Before the connections end: with some tunnels, so do processes.
  const cpu = watched.map((group, index) => cpuSeconds(group) - before[index]!)
  for (const socket of sockets) socket.destroy()
  const expected = checked ? patternChecksum(bytes) : 0
  if (checksums.some((checksum) => checksum !== expected)) throw new Error(`wrong bytes ${direction}`)
  return { seconds, cpu }
}

/** @returns the checksum that the target has found */
async function send(socket: Socket, bytes: number): Promise<number> {
  sendPattern(socket, bytes)
  // Longer than any single wait: it is the whole transfer.
  const { promise, resolve, reject } = Promise.withResolvers<Buffer>()
  socket.once('data', resolve)
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('it was closed')))
  return (await promise).readUInt32BE(0)
}

async function receive(socket: Socket, bytes: number, checked: boolean): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>()
  let received = 0
  let checksum = 0
  socket.on('data', (chunk: Buffer) => {
    received += chunk.length
    if (checked) checksum = crc32(chunk, checksum)
    if (received > bytes) reject(new Error('more bytes came than were sent'))
    else if (received === bytes) resolve(checksum)
  })
  socket.once('error', reject)
  socket.once('close', () => reject(new Error('it was closed')))
  socket.write(Buffer.of(0))
  return promise
}
