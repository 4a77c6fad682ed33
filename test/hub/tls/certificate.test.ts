import { execFileSync } from 'node:child_process'
import { chmodSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { readCertificate } from '../../../src/hub/tls/certificate.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'
import { openssl, TestAuthority, type IssuedCertificate } from '../../helpers/certificates.ts'
import { connect } from '../../helpers/cli.ts'
import { makeHome } from '../../helpers/home.ts'

const home = makeHome('certificates')
let authority: TestAuthority
let good: IssuedCertificate

beforeAll(() => {
  authority = new TestAuthority(home.folder)
  good = authority.issue()
  return () => home.remove()
})

function fileWith(content: string): string {
  const file = path.join(scratchFolder(), 'file.pem')
  writeFileSync(file, content, { mode: 0o600 })
  return file
}

test('a certificate and its key are taken, and nothing is said of them', () => {
  const { validTo, warnings } = readCertificate(good)
  expect(warnings).toEqual([])
  expect(validTo.getTime()).toBeGreaterThan(Date.now())
})

describe('a hub does not start with', () => {
  const damaged = '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n'
  test.for([
    [
      'a certificate that is missing',
      () => ({ cert: '/none.pem', key: good.key }),
      /^Could not read the certificate \/none\.pem: there is no such file$/,
    ],
    [
      'a key that is missing',
      () => ({ cert: good.cert, key: '/none.key' }),
      /^Could not read the key \/none\.key: there is no such file$/,
    ],
    [
      'a folder',
      () => ({ cert: '/', key: good.key }),
      /^Could not read the certificate \/: it is not a file$/,
    ],
    ['a FIFO-like device', () => ({ cert: '/dev/zero', key: good.key }), /it is not a file$/],
    [
      'a certificate that is not PEM',
      () => ({ cert: fileWith('DER'), key: good.key }),
      /^The certificate .* is not PEM: /,
    ],
    ['a key that is not PEM', () => ({ cert: good.cert, key: fileWith('DER') }), /^The key .* is not PEM: /],
    ['the two the wrong way round', () => ({ cert: good.key, key: good.cert }), /has no certificate in it$/],
    [
      'a certificate in place of the key',
      () => ({ cert: good.cert, key: good.cert }),
      /has no private key in it$/,
    ],
    [
      'a damaged certificate',
      () => ({ cert: fileWith(damaged), key: good.key }),
      /^The certificate .* is damaged: /,
    ],
    [
      'a damaged key',
      () => ({ cert: good.cert, key: fileWith(damaged.replaceAll('CERTIFICATE', 'PRIVATE KEY')) }),
      /^The key .* is damaged: /,
    ],
    [
      'a damaged chain',
      () => ({ cert: fileWith(readFileSync(good.cert, 'utf8') + damaged), key: good.key }),
      /^The certificate .* can’t be used: /,
    ],
    [
      'another one’s key',
      () => ({ cert: good.cert, key: authority.issue().key }),
      /^The key .* does not belong to the certificate /,
    ],
  ] as const)('%s', ([, files, message]) => {
    const error = thrownBy(() => readCertificate(files()))
    expect(error.code).toBe('BAD_CERTIFICATE')
    expect(error.message).toMatch(message)
  })

  test('a key with a passphrase, and it says how to take that off', () => {
    const key = fileWith('')
    openssl('pkey', '-in', good.key, '-aes256', '-passout', 'pass:secret', '-out', key)
    const error = thrownBy(() => readCertificate({ cert: good.cert, key }))
    expect(error.message).toBe(`The key ${key} has a passphrase`)
    expect(error.hints.join()).toContain('openssl pkey -in')
  })
})

test('a key that everyone can read is taken, with a warning; a group may be meant to', () => {
  const { cert, key } = authority.issue()
  chmodSync(key, 0o644)
  expect(readCertificate({ cert, key }).warnings).toEqual([expect.stringContaining(`chmod o= ${key}`)])
  chmodSync(key, 0o640)
  expect(readCertificate({ cert, key }).warnings).toEqual([])
})

test('the fingerprint is that of the topmost certificate in the file, as openssl prints it', () => {
  const { cert, key } = authority.issue()
  const chain = fileWith(readFileSync(cert, 'utf8') + readFileSync(authority.certFile, 'utf8'))
  const printed = execFileSync('openssl', ['x509', '-noout', '-fingerprint', '-sha256'], {
    input: readFileSync(authority.certFile),
    encoding: 'utf8',
  })
  expect(printed.trim().split('=')[1]).toBe(readCertificate({ cert: chain, key }).fingerprint)
  expect(readCertificate({ cert, key }).fingerprint).not.toBe(
    readCertificate({ cert: chain, key }).fingerprint,
  )
})

test.for([
  ['--tls-cert', '--tls-key'],
  ['--tls-key', '--tls-cert'],
] as const)('%s without %s is a command line that can’t be understood', async ([given, missing]) => {
  const { code, stdout, stderr } = await connect(emptyHome(), ['hub', given, good.cert])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toBe(
    `[x] ${given} is of no use without ${missing}\n  Give both: --tls-cert FILE --tls-key FILE\n`,
  )
})

test('connect hub says in one sentence what is wrong with its certificate', async () => {
  const args = ['hub', '--listen', '127.0.0.1:0', '--tls-cert', good.cert, '--tls-key', good.cert]
  const { code, stdout, stderr } = await connect(emptyHome(), args)
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^\[x\] .* has no private key in it\n {2}Give PEM files that belong together: /)
})
