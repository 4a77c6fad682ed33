import { execFile } from 'node:child_process'
import { copyFileSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { once } from 'node:events'
import { connect as connectTcp, type Socket } from 'node:net'
import path from 'node:path'
import tls, { connect as connectTls } from 'node:tls'
import { promisify } from 'node:util'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { startHub } from '../../src/hub/server.ts'
import { TestAuthority, type IssuedCertificate } from '../helpers/certificates.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { makeHome } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

const home = makeHome('authority')
const CHUNK_BYTES = 64 * 1024
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

/** The certificate that a server shows to someone who comes now. */
async function shownBy(port: number): Promise<string> {
  const ca = readFileSync(authority.certFile)
  const socket = connectTls({ port, host: '127.0.0.1', ca })
  await once(socket, 'secureConnect')
  const { fingerprint256 } = socket.getPeerCertificate()
  socket.destroy()
  return fingerprint256
}

/** How long a client may use the ticket of its TLS session, in seconds: Node.js does not tell. */
async function ticketLifetime(port: number): Promise<number> {
  const asked = promisify(execFile)('openssl', ['s_client', '-connect', `127.0.0.1:${port}`, '-ign_eof'])
  asked.child.stdin!.end('GET / HTTP/1.1\r\nConnection: close\r\n\r\n')
  const { stdout } = await asked
  return Number(/ticket lifetime hint: (\d+)/.exec(stdout)?.[1])
}

describe('a hub with a certificate of a private authority', () => {
  let world: World
  let echo: Awaited<ReturnType<typeof echoServer>>
  const files = { cert: path.join(home.folder, 'live.pem'), key: path.join(home.folder, 'live.key') }

  beforeAll(async () => {
    const { cert, key } = authority.issue()
    copyFileSync(cert, files.cert)
    copyFileSync(key, files.key)
    world = await World.start({
      hub: ['--tls-cert', files.cert, '--tls-key', files.key],
      login: ['--ca', authority.certFile],
    })
    echo = await echoServer()
  })
  afterAll(async () => {
    await world.stop()
    await echo.close()
  })

  test('leads from one machine to a service of another; the daemon knows the authority, too', async () => {
    expect(world.hubUrl).toMatch(/^https:/)
    const server = await world.machine('server')
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', String(echo.port), '--name', 'echo'])
    const status = JSON.parse(await connectOk(server, ['daemon', 'status', '--json', '--wait', '30s']))
    expect(status).toMatchObject({ ca: authority.certFile, connection: { state: 'connected' } })
    const client = await world.machine('client')
    const { port } = await world.reach(client, 'echo')
    expect(await echoed(port, 'through TLS')).toBe('through TLS')
  })

  test(
    'renewed under load: what runs goes on, and who comes sees the new one',
    { tags: ['variation'] },
    async () => {
      const server = await world.machine('loaded')
      await connectOk(server, ['daemon', 'start'])
      await connectOk(server, ['expose', String(echo.port), '--name', 'loaded'])
      const client = await world.machine('loading')
      const { port, cli } = await world.reach(client, 'loaded')
      const load = startLoad(port)
      await load.moved()
      const hubPort = Number(new URL(world.hubUrl).port)
      const before = await shownBy(hubPort)
      const next = authority.issue()

      // The certificate alone does not match the key: the old pair stays.
      replaceByRename(next.cert, files.cert)
      await world.hub.printed(/does not belong to the certificate .*\. The TLS certificate in use stays/)
      expect(await shownBy(hubPort)).toBe(before)
      replaceByRename(next.key, files.key)
      await world.hub.printed(/\[ok\] TLS certificate renewed: valid until \d{4}-/)
      expect(await shownBy(hubPort)).not.toBe(before)

      await load.moved()
      const late = await world.reach(await world.machine('late'), 'loaded')
      expect(await echoed(late.port, 'after the renewal')).toBe('after the renewal')
      expect(await load.stop()).toBe('whole')
      expect(cli.output).not.toContain('Reconnecting')
    },
  )

  test.for([
    ['is gone', () => rmSync(files.key), /there is no such file\. The TLS certificate in use stays/],
    [
      'is half written',
      () => writeFileSync(files.key, '-----BEGIN PRIVATE KEY-----\nMC4C'),
      /is damaged: .*in use stays/,
    ],
  ] as const)('a key that %s changes nothing, and is used once it is back', async ([, spoil, told]) => {
    const hubPort = Number(new URL(world.hubUrl).port)
    const key = readFileSync(files.key)
    const before = await shownBy(hubPort)
    world.hub.stdout = ''
    spoil()
    await world.hub.printed(told)
    expect(await shownBy(hubPort)).toBe(before)
    writeFileSync(files.key, key, { mode: 0o600 })
    await world.hub.printed(/TLS certificate renewed/)
    expect(await shownBy(hubPort)).toBe(before)
  })

  test('is not reached without --ca, and the command to run is named', async () => {
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    const { code, stderr } = await connect(emptyHome(), ['login', '--hub', world.hubUrl], { env })
    expect(code).toBe(1)
    expect(stderr).toMatch(/signed by an authority that this machine does not know\n/)
    // Without --hub it would log in to the public one.
    expect(stderr).toContain(`connect login --hub ${world.hubUrl} --ca FILE`)
  })

  // macOS keeps its authorities in keychains, which no test should change; Node.js before 22.15 can’t ask for
  // them.
  test.skipIf(process.platform === 'darwin' || !('getCACertificates' in tls))(
    'is reached without --ca where the machine trusts the authority',
    async () => {
      // Where OpenSSL looks for what the administrator has installed.
      const env = { PRIVATECONNECT_TOKEN: await world.joinToken(), SSL_CERT_FILE: authority.certFile }
      const { code, stderr } = await connect(emptyHome(), ['login', '--hub', world.hubUrl], { env })
      expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    },
  )

  test('logged in already, connect login --ca names the authority', async () => {
    const machine = await world.machine('again')
    const other = path.join(machine.folder, 'ca copy.pem')
    copyFileSync(authority.certFile, other)
    const again = await connect(machine, ['login', '--ca', 'ca copy.pem'])
    expect(again.stderr).toBe('  Next: connect daemon restart (if the daemon runs)\n')
    const status = JSON.parse(await connectOk(machine, ['daemon', 'status', '--json']))
    expect(status.ca).toBe(other)
    const { code, stderr } = await connect(machine, ['login', '--ca', 'none.pem'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Could not read the CA file /)
  })

  test('plain http to it is told on the agent’s side', async () => {
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    const hub = world.hubUrl.replace('https', 'http')
    const { code, stderr } = await connect(emptyHome(), ['login', '--hub', hub], { env })
    expect(code).toBe(1)
    expect(stderr).toBe(
      `[x] The hub at ${hub} speaks HTTPS, and not plain http\n` +
        '  If it should be a hub of your own on this machine, this starts it, and tells this machine how to find it: connect hub start\n' +
        `  Else use its https address: connect login --hub ${world.hubUrl}\n`,
    )
  })

  test('encrypts by ChaCha20 for a client that has it first, and by AES for all others', async () => {
    const cipherFor = async (ciphers?: string) => {
      const ca = readFileSync(authority.certFile)
      const port = Number(new URL(world.hubUrl).port)
      const socket = connectTls({ port, host: '127.0.0.1', ca, ...(ciphers !== undefined && { ciphers }) })
      await once(socket, 'secureConnect')
      const { name } = socket.getCipher()
      socket.destroy()
      return name
    }
    expect(await cipherFor()).toMatch(/AES/)
    expect(await cipherFor(`TLS_CHACHA20_POLY1305_SHA256:${tls.DEFAULT_CIPHERS}`)).toMatch(/CHACHA20/)
  })

  test('speaks no TLS older than 1.2', async () => {
    const socket = connectTls({
      port: Number(new URL(world.hubUrl).port),
      ca: readFileSync(authority.certFile),
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'DEFAULT@SECLEVEL=0',
    })
    const [error] = (await once(socket, 'error')) as [NodeJS.ErrnoException]
    expect(error.code).toMatch(/PROTOCOL_VERSION/)
  })
})

test('a hub on an address of the network needs no --insecure with a certificate', async () => {
  const { cert, key } = authority.issue()
  const hub = startConnect(emptyHome(), [
    'hub',
    '--listen',
    '0.0.0.0:0',
    '--tls-cert',
    cert,
    '--tls-key',
    key,
  ])
  onTestFinished(() => hub.stop())
  await hub.printed(/\[ok\] Hub listening on https:\/\/0\.0\.0\.0:\d+/)
  expect(hub.stderr).toBe('')
})

test('a switch of links, as certbot makes it, is seen', { tags: ['variation'] }, async () => {
  const folder = scratchFolder()
  const live = { cert: path.join(folder, 'fullchain.pem'), key: path.join(folder, 'privkey.pem') }
  const point = ({ cert, key }: IssuedCertificate) => {
    for (const [target, link] of [
      [cert, live.cert],
      [key, live.key],
    ] as const) {
      symlinkSync(target, `${link}.new`)
      renameSync(`${link}.new`, link)
    }
  }
  point(authority.issue())
  const log: string[] = []
  const options = { folder, host: '127.0.0.1', port: 0, version: '0.1.0', tls: live }
  const hub = await startHub({ ...options, log: (line) => void log.push(line) })
  onTestFinished(() => hub.close())
  const before = await shownBy(hub.port)
  point(authority.issue())
  await expect.poll(() => shownBy(hub.port), { timeout: 30_000 }).not.toBe(before)
  expect(log.at(-1)).toMatch(/^\[ok\] TLS certificate renewed/)
})

test('a TLS session may go on for a week, with a renewed certificate too', async () => {
  const folder = scratchFolder()
  const tls = { cert: path.join(folder, 'hub.pem'), key: path.join(folder, 'hub.key') }
  const issue = () => {
    const { cert, key } = authority.issue()
    replaceByRename(cert, tls.cert)
    replaceByRename(key, tls.key)
  }
  issue()
  const hub = await startHub({ folder, host: '127.0.0.1', port: 0, version: '0.1.0', tls, log: () => {} })
  onTestFinished(() => hub.close())
  const before = await shownBy(hub.port)
  expect(await ticketLifetime(hub.port)).toBe(604_800)
  issue()
  await expect.poll(() => shownBy(hub.port), { timeout: 30_000 }).not.toBe(before)
  expect(await ticketLifetime(hub.port)).toBe(604_800)
})

test('a hub that is stopped waits for nobody who only began a handshake', async () => {
  const options = { folder: scratchFolder(), host: '127.0.0.1', port: 0, version: '0.1.0', log: () => {} }
  const hub = await startHub({ ...options, tls: authority.issue() })
  const silent = connectTcp(hub.port, '127.0.0.1').on('error', () => {})
  const served = connectTls({ port: hub.port, host: '127.0.0.1', ca: readFileSync(authority.certFile) })
  served.on('error', () => {})
  const closed = [once(silent, 'close'), once(served, 'close')]
  await Promise.all([once(silent, 'connect'), once(served, 'secureConnect')])
  const began = performance.now()
  await hub.close()
  await Promise.all(closed)
  // A handshake may take ten seconds.
  expect(performance.now() - began).toBeLessThan(8000)
})

test('a certificate that has expired is told when the hub starts', async () => {
  const folder = scratchFolder()
  const log: string[] = []
  const options = { folder, host: '127.0.0.1', port: 0, version: '0.1.0', tls: authority.issue({ days: -1 }) }
  const hub = await startHub({ ...options, log: (line) => void log.push(line) })
  await hub.close()
  expect(log).toEqual([expect.stringMatching(/^\[!\] The certificate .* expired on /)])
})

/** Sends through an echo, again and again, and compares what comes back. */
function startLoad(port: number): { moved(): Promise<void>; stop(): Promise<'whole' | 'broken'> } {
  const socket: Socket = connectTcp(port, '127.0.0.1')
  let sent = 0
  let received = 0
  let isWhole = true
  let isEnding = false
  const send = () => {
    sent += CHUNK_BYTES
    socket.write(Buffer.alloc(CHUNK_BYTES, (sent / CHUNK_BYTES) % 251))
  }
  socket.on('error', () => (isWhole = false))
  socket.on('data', (bytes: Buffer) => {
    received += bytes.length
    isWhole &&= bytes.every((byte) => byte === (sent / CHUNK_BYTES) % 251)
    if (received < sent) return
    if (isEnding) socket.end()
    else send()
  })
  send()
  return {
    async moved() {
      const from = received
      await expect.poll(() => received, { timeout: 30_000 }).toBeGreaterThan(from + 16 * CHUNK_BYTES)
    },
    async stop() {
      isEnding = true
      if (!socket.closed) await once(socket, 'close')
      return isWhole && received === sent ? 'whole' : 'broken'
    },
  }
}

function replaceByRename(from: string, to: string): void {
  copyFileSync(from, `${to}.new`)
  renameSync(`${to}.new`, to)
}
