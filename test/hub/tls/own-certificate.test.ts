import { execFileSync } from 'node:child_process'
import { X509Certificate } from 'node:crypto'
import {
  chmodSync,
  chownSync,
  cpSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { OwnCertificate } from '../../../src/hub/tls/own-certificate.ts'
import { fsCalls } from '../../fixtures/fs-calls.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

const DAY_MS = 86_400_000
const NOW = Date.UTC(2026, 10, 27, 12)
const OTHER_USER = 12_345
const STRICT = ['-x509_strict', '-purpose', 'sslserver']

interface Opened {
  readonly own: OwnCertificate
  readonly log: string[]
  /** The certificate that is there now. */
  served(): X509Certificate
}

/** Opens it as a hub on that folder does at that time. */
async function open(folder: string, now = NOW, hosts: string[] = ['0.0.0.0']): Promise<Opened> {
  return openAt(folder, () => now, hosts)
}

async function openAt(folder: string, now: () => number, hosts: string[] = ['0.0.0.0']): Promise<Opened> {
  const log: string[] = []
  const own = await OwnCertificate.open({ folder, hosts, log: (line) => void log.push(line), now })
  return { own, log, served: () => new X509Certificate(readFileSync(own.files.cert)) }
}

const authorityOf = ({ own }: Opened) => readFileSync(own.authorityFile, 'utf8')
const within = (folder: string, name: string) => path.join(folder, 'tls', name)

/** Of an X.509 extension of names, as Node.js prints it. */
const namesOf = (certificate: X509Certificate) => certificate.subjectAltName!.split(', ')

describe('what a hub makes for itself', () => {
  test('the strictest check of OpenSSL accepts, for each name and address', async () => {
    const folder = scratchFolder()
    const { own } = await open(folder, Date.now(), ['hub.example.com.', '[2001:db8::7]', '::ffff:192.0.2.7'])
    const verify = (...asked: string[]) =>
      execFileSync('openssl', ['verify', ...STRICT, '-CAfile', own.authorityFile, ...asked, own.files.cert], {
        encoding: 'utf8',
        stdio: 'pipe',
      })
    for (const name of ['localhost', 'hub.example.com'])
      expect(verify('-verify_hostname', name)).toBe(`${own.files.cert}: OK\n`)
    for (const address of ['127.0.0.1', '::1', '2001:db8::7', '192.0.2.7'])
      expect(verify('-verify_ip', address)).toBe(`${own.files.cert}: OK\n`)
    expect(() => verify('-verify_hostname', 'other.example.com')).toThrow()
  })

  test('is an authority that may sign no other, and a certificate of 90 days with a day of slack', async () => {
    const opened = await open(scratchFolder())
    const text = execFileSync('openssl', [
      'x509',
      '-noout',
      '-text',
      '-in',
      opened.own.authorityFile,
    ]).toString()
    expect(text).toMatch(
      /Basic Constraints: critical\s+CA:TRUE, pathlen:0\s+.*Key Usage: critical\s+Certificate Sign\n/,
    )
    const { validFromDate, validToDate, ca } = opened.served()
    expect(ca).toBe(false)
    expect([validFromDate.getTime(), validToDate.getTime()]).toEqual([NOW - DAY_MS, NOW + 90 * DAY_MS])
    expect(opened.own.authority.validTo.getTime()).toBe(NOW + 3650 * DAY_MS)
  })

  test('nobody else can read', async () => {
    const folder = scratchFolder()
    await open(folder)
    const modeOf = (name: string) => (statSync(within(folder, name)).mode & 0o777).toString(8)
    expect(modeOf('')).toBe('700')
    expect(readdirSync(within(folder, '')).toSorted()).toEqual(['authority.key', 'authority.pem', 'hub.pem'])
    expect(['authority.key', 'hub.pem'].map(modeOf)).toEqual(['600', '600'])
  })

  test('is the same after a restart, and then nothing is said', async () => {
    const folder = scratchFolder()
    const first = await open(folder)
    expect(first.log).toEqual(['[ok] The hub has made itself a certificate, valid until 2027-02-25'])
    const again = await open(folder, NOW + 59 * DAY_MS)
    expect(again.log).toEqual([])
    expect(again.served().fingerprint256).toBe(first.served().fingerprint256)
    expect(authorityOf(again)).toBe(authorityOf(first))
  })

  test('is whole or not there after a kill at any moment, and the next start goes on with what is there', async () => {
    const folder = scratchFolder()
    const states: string[] = []
    let isRecording = true
    fsCalls(['openSync', 'fchmodSync', 'fsyncSync', 'closeSync', 'renameSync'], () => {
      if (!isRecording) return
      const state = scratchFolder()
      cpSync(folder, state, { recursive: true })
      states.push(state)
    })
    await open(folder)
    isRecording = false
    expect(states.length).toBeGreaterThan(10)
    for (const state of states) {
      const keyFile = within(state, 'authority.key')
      const before = existsSync(keyFile) ? readFileSync(keyFile, 'utf8') : undefined
      await open(state)
      if (before !== undefined) expect(readFileSync(keyFile, 'utf8')).toBe(before)
    }
  })
})

describe('an authority that machines may trust is never replaced:', () => {
  test.for<[string, (folder: string) => void, code: string, message: RegExp]>([
    [
      'damaged',
      (folder) => writeFileSync(within(folder, 'authority.key'), 'half a k', { mode: 0o600 }),
      'HUB_TLS_DAMAGED',
      /^The hub’s own authority .*authority\.key is damaged: /,
    ],
    [
      'empty',
      (folder) => writeFileSync(within(folder, 'authority.key'), '', { mode: 0o600 }),
      'HUB_TLS_DAMAGED',
      /is damaged: /,
    ],
    [
      'another file',
      (folder) => cpSync(within(folder, 'hub.pem'), within(folder, 'authority.key')),
      'HUB_TLS_DAMAGED',
      /is damaged: it is no authority’s$/,
    ],
    [
      'gone, with a certificate that it has signed',
      (folder) => rmSync(within(folder, 'authority.key')),
      'HUB_TLS_DAMAGED',
      /^The key of the hub’s own authority is gone: there is no .*authority\.key$/,
    ],
    [
      'open to others',
      (folder) => chmodSync(within(folder, 'authority.key'), 0o644),
      'HUB_KEY_EXPOSED',
      /authority\.key can be read by other users \(mode 644\)$/,
    ],
    [
      'a folder',
      (folder) => {
        rmSync(within(folder, 'authority.key'))
        mkdirSync(within(folder, 'authority.key'))
      },
      'CONFIG_UNREADABLE',
      /authority\.key is not a file$/,
    ],
  ])('%s', async ([, spoil, code, message]) => {
    const folder = scratchFolder()
    await open(folder)
    spoil(folder)
    const before = readdirSync(within(folder, ''))
    const error = await rejectionOf(open(folder))
    expect({ code: error.code, message: error.message }).toEqual({
      code,
      message: expect.stringMatching(message) as string,
    })
    expect(error.hints.length).toBeGreaterThan(0)
    expect(readdirSync(within(folder, ''))).toEqual(before)
  })

  test.for<[string, (folder: string) => void, RegExp]>([
    [
      'another user’s key',
      (folder) => chownSync(within(folder, 'authority.key'), OTHER_USER, OTHER_USER),
      /authority\.key belongs to another user/,
    ],
    [
      'another user’s link in place of the folder',
      (folder) => {
        const elsewhere = scratchFolder()
        chownSync(elsewhere, OTHER_USER, OTHER_USER)
        rmSync(within(folder, ''), { recursive: true })
        symlinkSync(elsewhere, within(folder, ''))
      },
      /belongs to another user/,
    ],
  ])('%s', async ([, spoil, message], context) => {
    context.skip(process.getuid?.() !== 0, 'only root can give a file to another user')
    const folder = scratchFolder()
    await open(folder)
    spoil(folder)
    expect((await rejectionOf(open(folder))).message).toMatch(message)
  })
})

describe('another certificate by the same authority is made', () => {
  test('with 30 days left, while the hub runs', async () => {
    const folder = scratchFolder()
    let now = NOW
    const opened = await openAt(folder, () => now)
    const [first, authority] = [opened.served(), authorityOf(opened)]
    now += 60 * DAY_MS
    expect(await opened.own.look()).toBe(false)
    now += 1
    expect(await opened.own.look()).toBe(true)
    expect(opened.served().validToDate.getTime()).toBeGreaterThan(first.validToDate.getTime())
    expect(authorityOf(opened)).toBe(authority)
    expect(opened.log.at(-1)).toBe(
      '[ok] The hub has made itself a certificate, valid until 2027-04-26, since the last one ends on 2027-02-25',
    )
  })

  test('at a start long after it has ended', async () => {
    const folder = scratchFolder()
    const first = await open(folder)
    const late = await open(folder, NOW + 400 * DAY_MS)
    expect(late.served().checkIssued(new X509Certificate(authorityOf(first)))).toBe(true)
    expect(late.served().validToDate.getTime()).toBe(NOW + 490 * DAY_MS)
  })

  test('when the hub has a name that it lacks; a name less is no reason', async () => {
    const folder = scratchFolder()
    await open(folder)
    const named = await open(folder, NOW, ['hub.example.com'])
    expect(named.log).toEqual([
      '[ok] The hub has made itself a certificate, valid until 2027-02-25, since the last one is not for hub.example.com',
    ])
    expect(namesOf(named.served())).toContain('DNS:hub.example.com')
    expect((await open(folder)).log).toEqual([])
  })

  test('when it is damaged, or another authority’s', async () => {
    const folder = scratchFolder()
    const first = await open(folder)
    writeFileSync(within(folder, 'hub.pem'), readFileSync(within(folder, 'hub.pem')).subarray(0, 700))
    const mended = await open(folder)
    expect(mended.log).toEqual([expect.stringMatching(/, since the last one is damaged \(/)])
    const stranger = scratchFolder()
    await open(stranger)
    cpSync(within(stranger, 'hub.pem'), within(folder, 'hub.pem'))
    expect((await open(folder)).log).toEqual([expect.stringMatching(/signed by another authority$/)])
    expect(authorityOf(mended)).toBe(authorityOf(first))
  })

  test('when what there is was deleted while the hub runs: the authority is written again', async () => {
    const folder = scratchFolder()
    const opened = await open(folder)
    const key = readFileSync(within(folder, 'authority.key'), 'utf8')
    rmSync(within(folder, ''), { recursive: true })
    expect(await opened.own.look()).toBe(true)
    expect(readFileSync(within(folder, 'authority.key'), 'utf8')).toBe(key)
    expect((await open(folder)).log).toEqual([])
  })
})

test('without its data folder nothing is made', async () => {
  const folder = scratchFolder()
  const { own } = await open(folder)
  rmSync(folder, { recursive: true })
  expect(await own.look()).toBe(false)
  expect(existsSync(folder)).toBe(false)
})

test('on a disk that is full at the first start nothing is made, and all once there is room', async () => {
  const folder = scratchFolder()
  let isFull = true
  fsCalls(['fsyncSync'], () => {
    if (isFull) throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  })
  expect((await rejectionOf(open(folder))).code).toBe('WRITE_FAILED')
  expect(readdirSync(within(folder, ''))).toEqual([])
  isFull = false
  await open(folder)
})

test('on a full disk the certificate stays as it is, which is said once, and it is renewed once there is room', async () => {
  const folder = scratchFolder()
  let [now, isFull] = [NOW, false]
  const opened = await openAt(folder, () => now)
  const first = opened.served().fingerprint256
  fsCalls(['openSync'], (line) => {
    if (isFull && line.includes('hub.pem.'))
      throw Object.assign(new Error('ENOSPC: no space left'), { code: 'ENOSPC' })
  })
  now += 70 * DAY_MS
  isFull = true
  for (let times = 0; times < 3; times++) expect(await opened.own.look()).toBe(false)
  // A hub that is started meanwhile has it, too.
  const restarted = await open(folder, now)
  for (const one of [opened, restarted]) {
    expect(one.log.filter((line) => line.startsWith('[!]'))).toEqual([
      expect.stringMatching(/^\[!\] Could not write .*hub\.pem: .*\. The hub’s certificate stays as it is$/),
    ])
    expect(one.own.failure).toContain('hub.pem')
    expect(one.served().fingerprint256).toBe(first)
  }
  isFull = false
  expect(await opened.own.look()).toBe(true)
  expect(opened.own.failure).toBe('')
})

describe('a clock that is wrong when the certificate is made', () => {
  test('and says 1970: once it is right, machines still trust the authority, and the certificate is renewed', async () => {
    const folder = scratchFolder()
    let now = 0
    const opened = await openAt(folder, () => now)
    const authority = new X509Certificate(authorityOf(opened))
    expect(opened.log.at(-1)).toMatch(/^\[!\] The clock says 1970-01-01: once it is right /)
    now = NOW
    expect(await opened.own.look()).toBe(true)
    expect(opened.served().validToDate.getTime()).toBe(NOW + 90 * DAY_MS)
    expect(authority.validFromDate.getTime()).toBeLessThan(NOW)
    expect(authority.validToDate.getTime()).toBeGreaterThan(NOW + 8 * 365 * DAY_MS)
  })

  test('and is far ahead: once it is right, there is a certificate that is valid today', async () => {
    const folder = scratchFolder()
    let now = Date.UTC(2099, 0, 1)
    const opened = await openAt(folder, () => now)
    now = NOW
    expect(await opened.own.look()).toBe(true)
    expect(opened.log.at(-1)).toMatch(/the last one is valid only from 2098-12-31 on$/)
    expect(opened.served().validFromDate.getTime()).toBeLessThan(NOW)
    expect(opened.own.authority.validFrom.getTime()).toBeLessThan(NOW)
  })

  test('and falls back to 1970 later: the certificate stays', async () => {
    const folder = scratchFolder()
    await open(folder)
    const { log } = await open(folder, 0)
    expect(log).toEqual([])
  })
})

test('an authority that has ended signs nothing any more', async () => {
  const folder = scratchFolder()
  const opened = await open(folder)
  const late = await open(folder, NOW + 3660 * DAY_MS)
  expect(late.log).toEqual([])
  expect(late.served().fingerprint256).toBe(opened.served().fingerprint256)
})
