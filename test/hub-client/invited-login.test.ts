import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer as createHttpServer } from 'node:http'
import { createServer as createHttpsServer } from 'node:https'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { X509Certificate } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { readConfig, type Config } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { ConnectError } from '../../src/errors.ts'
import { HubLink } from '../../src/hub-client/link/hub-link.ts'
import { login, type LoginOptions } from '../../src/hub-client/login.ts'
import { Store } from '../../src/hub/store/store.ts'
import { fingerprintOf, type Invite } from '../../src/tunnel/protocol/invite.ts'
import { hubInProcess, joinToken, linked } from '../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { openssl, pemOf, TestAuthority, type IssuedCertificate } from '../helpers/certificates.ts'
import { startConnectProxy } from '../helpers/connect-proxy.ts'
import { makeHome } from '../helpers/home.ts'
import { crossroads, eavesdropper } from './helpers/eavesdropper.ts'
import { listening, serving } from './helpers/tls-server.ts'

const home = makeHome('authorities')
/** The hub's own, and somebody else's of the same name. */
let authority: TestAuthority
let other: TestAuthority
let certificate: IssuedCertificate

beforeAll(() => {
  authority = new TestAuthority(home.file('own'))
  other = new TestAuthority(home.file('other'))
  certificate = authority.issue({ full: true })
})
afterAll(() => home.remove())

let hub: Awaited<ReturnType<typeof hubInProcess>>
let invite: Required<Invite>

beforeEach(async () => {
  hub = await hubInProcess(undefined, { tls: certificate })
  invite = { address: hub.url, token: await joinToken(hub.folder), fingerprint: namedBy(authority.certFile) }
})

function namedBy(file: string): string {
  return fingerprintOf(new X509Certificate(readFileSync(file)).raw)
}

interface Outcome {
  readonly config: Config | undefined
  readonly error: ConnectError | undefined
}

/** Joins as a machine that has nothing yet. @returns what it has then, and why no more */
async function joinBy(
  { address, token, fingerprint }: Invite,
  options: Partial<LoginOptions> = {},
): Promise<Outcome> {
  const instance = instanceFor(path.join(scratchFolder(), 'machine.json'))
  const joining = login(instance, {
    hub: address,
    token,
    fingerprint,
    insecure: false,
    label: 'ada',
    ...options,
  })
  const error = await joining.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof ConnectError) return error
      throw error
    },
  )
  expect(existsSync(instance.configFile)).toBe(error === undefined)
  return { config: readConfig(instance), error }
}

/** Whether the hub could still be joined by its token: then nobody has used it. */
async function isTokenUnused(): Promise<boolean> {
  const store = await Store.open(hub.folder)
  const [token] = store.tokens()
  store.close()
  return token?.usesLeft === 1
}

const at = (port: number) => `https://127.0.0.1:${port}`

describe('an invite to a hub with an authority of its own', () => {
  test('lets a machine in that has never heard of it, and is all that its link needs', async () => {
    const { config, error } = await joinBy(invite)
    expect(error).toBeUndefined()
    expect(config?.authority).toBe(new X509Certificate(readFileSync(authority.certFile)).toString())
    const { link } = await linked(config!)
    expect(link.state.state).toBe('connected')
  })

  test('leads through a proxy, too', async () => {
    const renamed = await hubInProcess(undefined, {
      tls: authority.issue({ names: 'DNS:localhost.test', full: true }),
    })
    const far = await startConnectProxy({ hosts: { 'localhost.test': renamed.hub.port } })
    onTestFinished(() => far.close())
    const token = await joinToken(renamed.folder)
    const options = { proxy: far.url }
    const { config, error } = await joinBy(
      { ...invite, address: 'https://localhost.test:7700', token },
      options,
    )
    expect(error).toBeUndefined()
    expect(config?.authority).toContain('BEGIN CERTIFICATE')
    expect(new Set(far.asked)).toEqual(new Set(['localhost.test:7700']))
    expect(far.strays).toEqual([])
  })

  test('is not spent at another hub than the one that is meant, though its certificate is right', async () => {
    const { error } = await joinBy(invite, { hubId: 'hub_0123456789abcdef' })
    expect(error?.code).toBe('WRONG_HUB')
    expect(await isTokenUnused()).toBe(true)
  })

  test('is good for one machine, and then for none', async () => {
    expect((await joinBy(invite)).error).toBeUndefined()
    expect((await joinBy(invite)).error).toMatchObject({
      code: 'TOKEN_REFUSED',
      message: 'The join token was used already',
    })
  })

  test('is good for its time', async () => {
    const token = await joinToken(hub.folder, 1)
    await sleep(2)
    expect((await joinBy({ ...invite, token })).error).toMatchObject({
      code: 'TOKEN_REFUSED',
      message: 'The join token has expired',
    })
  })

  test('can’t be guessed: another token opens nothing', async () => {
    const { error } = await joinBy({ ...invite, token: `tok_${'0'.repeat(40)}` })
    expect(error).toMatchObject({
      code: 'TOKEN_REFUSED',
      message: 'The hub did not accept the join token',
    })
    expect(await isTokenUnused()).toBe(true)
  })

  test('may name the hub’s certificate itself, or an authority in between', async () => {
    const self = authority.selfSigned()
    const alone = await hubInProcess(undefined, { tls: self })
    const byItself = {
      address: alone.url,
      token: await joinToken(alone.folder),
      fingerprint: namedBy(self.cert),
    }
    expect((await joinBy(byItself)).error).toBeUndefined()

    const between = intermediate(authority)
    const below = await hubInProcess(undefined, { tls: between.issue({ full: true }) })
    const token = await joinToken(below.folder)
    const { config, error } = await joinBy({
      address: below.url,
      token,
      fingerprint: namedBy(between.certFile),
    })
    expect(error).toBeUndefined()
    expect((await linked(config!)).link.state.state).toBe('connected')
  })

  test('may name a certificate whose authority nobody shows', async () => {
    const alone = authority.issue()
    const served = await hubInProcess(undefined, { tls: alone })
    const token = await joinToken(served.folder)
    const { config, error } = await joinBy({
      address: served.url,
      token,
      fingerprint: namedBy(alone.cert),
    })
    expect(error).toBeUndefined()
    expect((await linked(config!)).link.state.state).toBe('connected')
  })

  test('pins nothing where this machine trusts the hub by itself: its authority may change', async () => {
    const { config, error } = await joinBy(invite, { ca: authority.certFile })
    expect(error).toBeUndefined()
    expect(config).toMatchObject({ ca: authority.certFile })
    expect(config?.authority).toBeUndefined()
  })
})

describe('nothing is sent, and nothing kept,', () => {
  test('to something in between that has a certificate of its own', async () => {
    const between = await eavesdropper(pemOf(other.issue({ full: true })), hub.hub.port)
    const { error } = await joinBy({ ...invite, address: at(between.port) })
    expect(error?.code).toBe('WRONG_AUTHORITY')
    expect(error?.message).toBe(
      `The certificate at ${at(between.port)} is not of the authority that this machine’s invite names`,
    )
    expect(error?.message + error!.hints.join()).not.toMatch(/tok_|inv_/)
    expect(between.heard).toBe('')
    expect(await isTokenUnused()).toBe(true)
  })

  test('to one that this machine trusts, as a company’s proxy that reads along', async () => {
    const between = await eavesdropper(pemOf(other.issue({ full: true })), hub.hub.port)
    const { error } = await joinBy({ ...invite, address: at(between.port) }, { ca: other.certFile })
    expect(error?.code).toBe('WRONG_AUTHORITY')
    expect(between.heard).toBe('')
  })

  test('to one that sends the hub’s authority along, under its name', async () => {
    const { cert, key } = pemOf(other.issue())
    const forged = { cert: cert + readFileSync(authority.certFile, 'utf8'), key }
    const between = await eavesdropper(forged, hub.hub.port)
    for (const options of [{}, { ca: other.certFile }]) {
      const { error } = await joinBy({ ...invite, address: at(between.port) }, options)
      expect(error?.code).toBe('WRONG_AUTHORITY')
    }
    expect(between.heard).toBe('')
  })

  test.for(['knows', 'does not know'])(
    'to one that comes in between after the look, whose authority this machine %s',
    async (knows) => {
      const between = await eavesdropper(pemOf(other.issue({ full: true })), hub.hub.port)
      const way = await crossroads((connection) => (connection === 1 ? hub.hub.port : between.port))
      const options = knows === 'knows' ? { ca: other.certFile } : {}
      const { error } = await joinBy({ ...invite, address: at(way.port) }, options)
      expect(error?.code).toBe('WRONG_AUTHORITY')
      expect(way.count).toBe(2)
      expect(between.heard).toBe('')
      expect(await isTokenUnused()).toBe(true)
    },
  )

  test('to one that comes in between where this machine trusts the hub by itself, and not what came', async () => {
    const both = path.join(scratchFolder(), 'both.pem')
    writeFileSync(both, [authority, other].map(({ certFile }) => readFileSync(certFile, 'utf8')).join(''))
    const between = await eavesdropper(pemOf(other.issue({ full: true })), hub.hub.port)
    const way = await crossroads((connection) => (connection === 1 ? hub.hub.port : between.port))
    const { error } = await joinBy({ ...invite, address: at(way.port) }, { ca: both })
    expect(error?.code).toBe('WRONG_AUTHORITY')
    expect(between.heard).toBe('')
  })

  test('to one that only stands in between during the look, to have its own authority taken for a known one', async () => {
    const { cert, key } = pemOf(other.issue({ nameOnly: true }))
    const forged = { cert: cert + readFileSync(authority.certFile, 'utf8'), key }
    const between = await eavesdropper(forged, hub.hub.port)
    const way = await crossroads((connection) => (connection === 1 ? between.port : hub.hub.port))
    const { error } = await joinBy({ ...invite, address: at(way.port) }, { ca: other.certFile })
    expect(error?.code).toBe('WRONG_AUTHORITY')
    expect(way.count).toBe(1)
  })

  test('to the hub of another invite', async () => {
    const another = await hubInProcess(undefined, { tls: other.issue({ full: true }) })
    const { error } = await joinBy({ ...invite, address: another.url })
    expect(error?.code).toBe('WRONG_AUTHORITY')
  })

  test('to the hub under a name that its certificate is not for', async () => {
    const elsewhere = await hubInProcess(undefined, {
      tls: authority.issue({ names: 'DNS:hub.test', full: true }),
    })
    const token = await joinToken(elsewhere.folder)
    const { error } = await joinBy({ ...invite, address: elsewhere.url, token })
    expect(error?.code).toBe('HUB_UNREACHABLE')
    expect(error?.message).toMatch(/: its TLS certificate is for another name: it is for hub\.test$/)
  })

  test('where the fingerprint is left out, and the authority is unknown', async () => {
    const { error } = await joinBy({ address: invite.address, token: invite.token })
    expect(error?.code).toBe('HUB_UNREACHABLE')
    expect(error?.hints.join()).toContain('connect hub token create --invite')
    expect(await isTokenUnused()).toBe(true)
  })

  test('over plain http, once an invite has named a certificate', async () => {
    const asked = vi.fn()
    const plain = createHttpServer(asked)
    const address = `http://127.0.0.1:${await listening(plain)}`
    const { error } = await joinBy({ ...invite, address })
    expect(error?.code).toBe('INSECURE_HUB')
    expect(asked).not.toHaveBeenCalled()
  })

  test('to another path than the hub’s, nor where a redirect leads', async () => {
    const { error } = await joinBy({ ...invite, address: `${hub.url}/elsewhere` })
    expect(error?.code).toBe('HUB_ERROR')
    const asked: string[] = []
    const server = createHttpsServer(pemOf(certificate), (request, response) => {
      asked.push(`${request.method} ${request.url}`)
      response.writeHead(307, { location: `${hub.url}${request.url}` }).end()
    })
    const redirected = await joinBy({ ...invite, address: at(await listening(server)) })
    expect(redirected.error?.code).toBe('NOT_A_HUB')
    expect(asked).toEqual(['GET /v1/hub'])
    expect(await isTokenUnused()).toBe(true)
  })

  test('to a server of that certificate that is no hub', async () => {
    const { error } = await joinBy({ ...invite, address: at(await serving(certificate)) })
    expect(error?.code).toBe('NOT_A_HUB')
  })
})

describe('later', () => {
  /** Why its link does not come up. */
  async function failingLink(config: Config): Promise<string> {
    const abort = new AbortController()
    const log: string[] = []
    const options = { role: 'agent', version: '0.1.0', log: (line: string) => void log.push(line) } as const
    const link = new HubLink({ ...options, config, onStream: () => {} })
    const ended = link.run(abort.signal)
    await expect.poll(() => link.state.state, { timeout: 30_000 }).toBe('retrying')
    const { state } = link
    abort.abort()
    await ended
    return 'reason' in state ? state.reason : log.join('\n')
  }

  test('another certificate of the same authority changes nothing', async () => {
    const { config } = await joinBy(invite)
    await hub.close()
    const renewed = await hubInProcess(hub.folder, { tls: authority.issue({ full: true }) })
    const { link } = await linked({ ...config!, hub: renewed.url })
    expect(link.state.state).toBe('connected')
  })

  test('another authority’s is told, and gets nothing, be it one that this machine trusts', async () => {
    const { config } = await joinBy(invite)
    const between = await eavesdropper(pemOf(other.issue({ full: true })), hub.hub.port)
    for (const ca of [undefined, other.certFile])
      expect(await failingLink({ ...config!, hub: at(between.port), ca })).toBe(
        `The certificate at ${at(between.port)} is not of the authority that this machine’s invite names`,
      )
    expect(between.heard).toBe('')
  })
})

/** An authority that another one has signed. */
function intermediate(root: TestAuthority): TestAuthority {
  const between = new TestAuthority(path.join(scratchFolder(), 'between'))
  const file = (name: string) => path.join(between.folder, name)
  writeFileSync(file('ext'), 'basicConstraints=critical,CA:TRUE\n')
  openssl('req', '-new', '-key', between.keyFile, '-subj', '/CN=Between', '-out', file('csr'))
  const signer = ['-CA', root.certFile, '-CAkey', root.keyFile, '-CAcreateserial', '-days', '30']
  openssl('x509', '-req', '-in', file('csr'), ...signer, '-extfile', file('ext'), '-out', file('signed.pem'))
  copyFileSync(file('signed.pem'), between.certFile)
  return between
}
