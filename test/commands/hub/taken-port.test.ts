import { mkdirSync } from 'node:fs'
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import { connect as connectTcp, createServer, type Server } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { hubStatus } from '../../../src/hub/control/client.ts'
import { joinHere } from '../../../src/tasks/hub/join-here.ts'
import { HUB_HEADER } from '../../../src/tunnel/protocol/handshake.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { pemOf, TestAuthority } from '../../helpers/certificates.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import { freePort } from '../../helpers/free-port.ts'
import type { Home } from '../../helpers/home.ts'
import { listening } from '../../hub-client/helpers/tls-server.ts'

/** A machine with a hub of its own on loopback, which it has joined, and which is down. */
async function machineWithHub(...flags: string[]): Promise<{ home: Home; port: number; hubId: string }> {
  const home = emptyHome()
  // As its agent has it, which no command has made yet.
  mkdirSync(path.dirname(home.file('config.json')), { recursive: true, mode: 0o700 })
  await connectOk(home, ['hub', 'start', '--listen', `127.0.0.1:${await freePort()}`, ...flags])
  const hub = hubInstance({}, home.folder)
  const joining = await joinHere(hub, instanceFor(undefined, home.folder), async () => {
    const { token } = await createToken(home.file('hub'), { ttlMs: 60_000, uses: 1 })
    return token
  })
  expect(joining).toMatchObject({ outcome: 'joined' })
  await connectOk(home, ['daemon', 'start'])
  await connectOk(home, ['daemon', 'status', '--wait', '30s'])
  const { listen, hubId } = (await hubStatus(hub))!
  await connectOk(home, ['hub', 'stop'])
  return { home, port: Number(listen.split(':').at(-1)), hubId }
}

/** Another user’s program on the hub’s port: it says that it is the hub, by plain http and by TLS. */
class Stranger {
  /** What it was asked for, and with which credentials. */
  readonly heard: string[] = []
  connections = 0
  speaksTls = true

  static async on(port: number, hubId: string): Promise<Stranger> {
    const stranger = new Stranger()
    const answer = (request: IncomingMessage, response: ServerResponse) => {
      stranger.heard.push(`${request.url} ${request.headers.authorization}`)
      response.setHeader(HUB_HEADER, hubId)
      response.end(JSON.stringify({ hub: hubId, protocol: 1, version: '0.1.0', nonce: 'a'.repeat(22) }))
    }
    const secure = createHttpsServer(pemOf(new TestAuthority(scratchFolder()).issue({ full: true })), answer)
    const behind = { tls: await listening(secure), plain: await listening(createHttpServer(answer)) }
    const server = createServer((socket) => {
      stranger.connections++
      socket.on('error', () => {})
      socket.once('data', (first) => {
        // The first byte of TLS (RFC 8446 §5.1).
        const isTls = first[0] === 0x16 && stranger.speaksTls
        const inner = connectTcp(isTls ? behind.tls : behind.plain, '127.0.0.1').on('error', () => {})
        inner.write(first)
        socket.pipe(inner).pipe(socket)
      })
    })
    await listenAsNobody(server, port)
    return stranger
  }
}

async function listenAsNobody(server: Server, port: number): Promise<void> {
  await new Promise<void>((resolve) => asNobody(() => server.listen(port, '127.0.0.1', resolve)))
  onTestFinished(() => void server.close())
}

const logOf = (home: Home) => connectOk(home, ['daemon', 'logs'])

test('another user who takes the port of a hub that is down gets nothing of the machine that joined it', async () => {
  const { home, port, hubId } = await machineWithHub()
  const stranger = await Stranger.on(port, hubId)
  await expect
    .poll(() => logOf(home), { timeout: 30_000 })
    .toContain(`The certificate at https://127.0.0.1:${port} is not of the authority`)
  const asked = await connect(home, ['reach', 'postgres', '--port', '0'])
  expect(asked).toMatchObject({ code: 1, stdout: '' })
  expect(asked.stderr).toBe(
    `[x] The certificate at https://127.0.0.1:${port} is not of the authority that this machine’s invite names\n` +
      '  It is another hub or program on this machine. Nothing was sent to it.\n' +
      '  If it should be a hub of your own on this machine, this starts it, and tells this machine how to find it: connect hub start\n' +
      '  If it is another’s hub, ask for a new invite (connect hub token create --invite), and run: connect logout\n',
  )
  stranger.speaksTls = false
  await expect
    .poll(() => logOf(home), { timeout: 30_000 })
    .toContain(`Could not reach the hub at https://127.0.0.1:${port}: what answered there does not speak TLS`)
  expect((await connect(home, ['reach', 'postgres', '--port', '0'])).stderr).toContain(
    'Nothing was sent to it.',
  )
  expect(stranger.connections).toBeGreaterThan(3)
  expect(stranger.heard).toEqual([])
})

test('with --plain-http they get the machine’s signature: so it is there only for who asks for it', async () => {
  const { port, hubId } = await machineWithHub('--plain-http')
  const stranger = await Stranger.on(port, hubId)
  await expect
    .poll(() => stranger.heard.join(), { timeout: 30_000 })
    .toMatch(/\/v1\/nonce undefined.*Bearer ey/s)
})
