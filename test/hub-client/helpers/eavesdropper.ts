import { connect, createServer, type Socket } from 'node:net'
import { connect as connectTls, createServer as createTlsServer } from 'node:tls'
import { onTestFinished } from 'vitest'
import { listening } from './tls-server.ts'

/** Stands between, and speaks TLS to both sides: whoever believes its certificate gets to the hub. */
export interface Eavesdropper {
  readonly port: number
  /** All that it was sent, decrypted. */
  readonly heard: string
}

/** @param certificate what it shows; PEM */
export async function eavesdropper(
  certificate: { cert: string; key: string },
  hubPort: number,
): Promise<Eavesdropper> {
  let heard = ''
  const server = createTlsServer(certificate, (near) => {
    const far = connectTls({ port: hubPort, host: '127.0.0.1', rejectUnauthorized: false })
    near.on('data', (bytes: Buffer) => (heard += bytes.toString('latin1')))
    join(near, far)
  })
  server.on('tlsClientError', () => {})
  const port = await listening(server)
  return {
    port,
    get heard() {
      return heard
    },
  }
}

/** Leads each TCP connection where it is told, as something on the way may from one moment to the next. */
export async function crossroads(
  lead: (connection: number) => number,
): Promise<{ port: number; count: number }> {
  let count = 0
  const server = createServer((near) => join(near, connect(lead(++count), '127.0.0.1')))
  const port = await listening(server)
  return {
    port,
    get count() {
      return count
    },
  }
}

function join(near: Socket, far: Socket): void {
  for (const [one, other] of [
    [near, far],
    [far, near],
  ] as const) {
    one.on('error', () => {})
    one.once('close', () => other.destroy())
    one.pipe(other)
  }
  onTestFinished(() => void near.destroy())
}
