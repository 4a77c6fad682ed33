import { readFileSync, renameSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { ServedCertificate } from '../../../src/hub/tls/served-certificate.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { makeHome } from '../../helpers/home.ts'

const DAY_MS = 86_400_000
const home = makeHome('served')
let authority: TestAuthority

beforeAll(() => {
  authority = new TestAuthority(home.folder)
})
afterAll(() => home.remove())

/** Waits until a certificate is looked at again, which is done without end. */
async function lookedAgain(log: readonly string[], line: RegExp): Promise<void> {
  await expect.poll(() => log.some((one) => line.test(one)), { timeout: 30_000 }).toBe(true)
}

test('a certificate that was given is warned of 21, 7 and 1 days before its end, and when it has ended, once each', async () => {
  const files = authority.issue({ days: 60 })
  const log: string[] = []
  let now = Date.now()
  const end = now + 60 * DAY_MS
  const options = {
    folder: scratchFolder(),
    hosts: [],
    log: (line: string) => void log.push(line),
    now: () => now,
  }
  const certificate = await ServedCertificate.open(files, { ...options, lookEveryMs: 5 })
  expect([log, certificate.status.warning]).toEqual([[], null])
  onTestFinished(
    certificate.follow(
      () => 'https://localhost',
      () => {},
    ),
  )
  for (const [days, said] of [
    [20.5, 'ends in 20 days'],
    [6.5, 'ends in 6 days'],
    [0.5, 'ends in less than a day'],
    [-1, 'expired on'],
  ] as const) {
    now = end - days * DAY_MS
    await lookedAgain(log, new RegExp(`^\\[!\\] The certificate ${files.cert} ${said}`))
    expect(log.at(-1)).toBe(`[!] ${certificate.status.warning}`)
  }
  // As often as it was looked at since.
  expect(log).toHaveLength(4)

  // A hub that is restarted within that time says it anew.
  now = end - 6.5 * DAY_MS
  log.length = 0
  await ServedCertificate.open(files, options)
  expect(log).toEqual([expect.stringContaining('ends in 6 days')])
})

test('a hub’s own certificate is renewed while it runs, and handed to new connections; its status tells so', async () => {
  const folder = scratchFolder()
  const log: string[] = []
  let now = Date.now()
  const certificate = await ServedCertificate.open('own', {
    folder,
    hosts: [],
    log: (line) => void log.push(line),
    now: () => now,
    lookEveryMs: 20,
  })
  const before = certificate.status
  expect(before).toMatchObject({
    own: true,
    authority: path.join(folder, 'tls', 'authority.pem'),
    warning: null,
  })
  const used: string[] = []
  onTestFinished(
    certificate.follow(
      () => 'https://localhost',
      ({ cert }) => void used.push(cert),
    ),
  )
  // As after a long sleep.
  now += 80 * DAY_MS
  await lookedAgain(log, /TLS certificate renewed/)
  await expect.poll(() => used.length).toBe(1)
  expect(used[0]).toBe(certificate.options.cert)
  expect(certificate.status.fingerprint).toBe(before.fingerprint)
  expect(Date.parse(certificate.status.notAfter) - Date.parse(before.notAfter)).toBeGreaterThan(79 * DAY_MS)
  // Nobody was told that the one that was renewed would end.
  expect(log.filter((line) => line.startsWith('[!]'))).toEqual([])
})

test('an authority of the hub’s own that ends is told; no machine accepts the hub after that', async () => {
  const folder = scratchFolder()
  const log: string[] = []
  const options = { folder, hosts: [], log: (line: string) => void log.push(line) }
  await ServedCertificate.open('own', options)
  log.length = 0
  const now = () => Date.now() + (3650 - 15) * DAY_MS
  const { status } = await ServedCertificate.open('own', { ...options, now })
  expect(status.warning).toMatch(/^The hub’s own authority ends in 1\d days, on /)
  expect(log.at(-1)).toBe(`[!] ${status.warning}`)
})

test('a certificate that replaces one of which a warning was told is told of anew', async () => {
  const folder = scratchFolder()
  const files = { cert: path.join(folder, 'hub.pem'), key: path.join(folder, 'hub.key') }
  const put = (days: number) => {
    const issued = authority.issue({ days })
    for (const kind of ['key', 'cert'] as const) {
      writeFileSync(`${files[kind]}.new`, readFileSync(issued[kind]), { mode: 0o600 })
      renameSync(`${files[kind]}.new`, files[kind])
    }
  }
  put(5)
  const log: string[] = []
  const certificate = await ServedCertificate.open(files, {
    folder,
    hosts: [],
    log: (line) => void log.push(line),
  })
  onTestFinished(
    certificate.follow(
      () => 'https://localhost',
      () => {},
    ),
  )
  put(6)
  await lookedAgain(log, /TLS certificate renewed/)
  expect(log.filter((line) => line.includes('ends in'))).toEqual([
    expect.stringContaining('ends in 4 days'),
    expect.stringContaining('ends in 5 days'),
  ])
})

test('a certificate that is not for the address that others are told is warned of once', async () => {
  const files = authority.issue({ names: 'DNS:hub.test,IP:::1' })
  const log: string[] = []
  const options = { folder: scratchFolder(), hosts: [], log: (line: string) => void log.push(line) }
  const certificate = await ServedCertificate.open(files, { ...options, lookEveryMs: 5 })
  expect(certificate.status.misfit).toBe(null)
  let url = 'https://[::1]:7700'
  onTestFinished(
    certificate.follow(
      () => url,
      () => {},
    ),
  )
  expect([log, certificate.status.misfit]).toEqual([[], null])
  // As when the machine gets another address.
  url = 'https://192.0.2.1:7700'
  await lookedAgain(
    log,
    /^\[!\] The certificate \S+ is for hub\.test, \S+, and others are told https:\/\/192\.0\.2\.1:7700: /,
  )
  expect(log[0]).toContain(certificate.status.misfit)
  expect(log).toHaveLength(1)
  // What is plain http there is shown by a proxy.
  url = 'http://192.0.2.1:7700'
  expect(certificate.status.misfit).toBe(null)
})
