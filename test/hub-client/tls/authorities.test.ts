import { afterAll, beforeAll, describe, expect, onTestFinished, test, vi } from 'vitest'
import { HubLink } from '../../../src/hub-client/link/hub-link.ts'
import { hubInProcess, member } from '../../fixtures/hub/hub-in-process.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { makeHome } from '../../helpers/home.ts'
import { failureOf, serving } from '../helpers/tls-server.ts'

const home = makeHome('authority')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

describe('a certificate that is not accepted is told in a sentence, with what fixes it:', () => {
  test.for([
    [
      'self-signed',
      () => authority.selfSigned(),
      false,
      /: its TLS certificate is self-signed$/,
      /connect login --hub https:\S+ --ca FILE/,
    ],
    [
      'of an unknown authority',
      () => authority.issue(),
      false,
      /: its TLS certificate is signed by an authority that this machine does not know$/,
      /--ca FILE/,
    ],
    [
      'expired',
      () => authority.issue({ days: -1 }),
      true,
      /: its TLS certificate has expired$/,
      /must renew.* clock is wrong: it says \d{4}-/,
    ],
    [
      'for another name',
      () => authority.issue({ names: 'DNS:other.test,IP:192.0.2.1' }),
      true,
      /: its TLS certificate is for another name: it is for other\.test, 192\.0\.2\.1$/,
      /Use a name/,
    ],
  ] as const)('%s', async ([, issue, isTrusted, message, hint]) => {
    const hub = `https://127.0.0.1:${await serving(issue())}`
    const error = await failureOf({ hub, ca: isTrusted ? authority.certFile : undefined })
    expect(error.code).toBe('HUB_UNREACHABLE')
    expect(error.message).toMatch(message)
    expect(error.hints.join('\n')).toMatch(hint)
  })

  test('and nothing turns that off', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0')
    onTestFinished(() => void vi.unstubAllEnvs())
    const hub = `https://127.0.0.1:${await serving(authority.selfSigned())}`
    expect((await failureOf({ hub })).message).toMatch(/self-signed$/)
  })
})

test('TLS older than 1.2 is not spoken', async () => {
  const options = { maxVersion: 'TLSv1.1', minVersion: 'TLSv1', ciphers: 'DEFAULT@SECLEVEL=0' }
  const hub = `https://127.0.0.1:${await serving(authority.issue(), options)}`
  expect((await failureOf({ hub, ca: authority.certFile })).message).toMatch(
    /it speaks no version of TLS that is still safe/,
  )
})

describe('the file of an authority', () => {
  test('is read anew, since it may be renewed', async () => {
    const hub = `https://127.0.0.1:${await serving(authority.issue())}`
    expect((await failureOf({ hub, ca: authority.certFile })).code).toBe('NOT_A_HUB')
    expect((await failureOf({ hub, ca: new TestAuthority(home.file('other')).certFile })).code).toBe(
      'HUB_UNREACHABLE',
    )
    expect((await failureOf({ hub, ca: authority.certFile })).code).toBe('NOT_A_HUB')
  })

  test('may be a certificate that is signed by itself', async () => {
    const certificate = authority.selfSigned()
    const hub = `https://127.0.0.1:${await serving(certificate)}`
    expect((await failureOf({ hub, ca: certificate.cert })).code).toBe('NOT_A_HUB')
  })

  test('that is gone says so', async () => {
    const error = await failureOf({ hub: 'https://127.0.0.1:1', ca: '/none.pem' })
    expect(error.code).toBe('BAD_CA')
    expect(error.message).toContain('/none.pem')
  })

  test('that holds none says so', async () => {
    const error = await failureOf({ hub: 'https://127.0.0.1:1', ca: authority.issue().key })
    expect(error.message).toMatch(/has no certificate in it$/)
  })
})

test('a link says it too, and tries again', async () => {
  const config = await member(await hubInProcess())
  const hub = `https://127.0.0.1:${await serving(authority.selfSigned())}`
  const abort = new AbortController()
  const options = { role: 'agent', version: '0.1.0', log: () => {}, onStream: () => {} } as const
  const link = new HubLink({ ...options, config: { ...config, hub } })
  const ended = link.run(abort.signal)
  const reason = `Could not reach the hub at ${hub}: its TLS certificate is self-signed`
  await expect.poll(() => link.state, { timeout: 30_000 }).toMatchObject({ state: 'retrying', reason })
  abort.abort()
  await ended
})
