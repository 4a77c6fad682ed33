import { expect, test } from 'vitest'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { connect, connectOk } from '../../helpers/cli.ts'

test('hub status tells until when the hub’s own certificate is valid, and which authority machines are to trust', async () => {
  const home = emptyHome()
  await connectOk(home, ['hub', 'start', '--listen', '0.0.0.0:0'])
  expect(await connectOk(home, ['hub', 'status'])).toMatch(
    /\n {4}Certificate: its own, valid until \d{4}-\d\d-\d\d\n {4}Authority: ~\/\.privateconnect\/hub\/tls\/authority\.pem\n {4}Data: /,
  )
})

test('hub status warns of a certificate that ends soon', async () => {
  const home = emptyHome()
  const { cert, key } = new TestAuthority(scratchFolder()).issue({ days: 6 })
  await connectOk(home, ['hub', 'start', '--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key])
  expect(await connectOk(home, ['hub', 'status'])).toMatch(
    /\n {4}Certificate: valid until \S+\n {4}The certificate \/\S+ ends in 5 days, on \S+: then no agent accepts it any more\. Have it renewed: the hub takes the new one from its files by itself\n {4}Data: /,
  )
  const { certificate } = JSON.parse(await connectOk(home, ['hub', 'status', '--json'])) as {
    certificate: unknown
  }
  expect(certificate).toMatchObject({
    own: false,
    authority: null,
    warning: expect.stringContaining('ends in 5 days') as string,
  })
})

test('hub start, restart and status, and the log, tell of a certificate that is not for the address that others are told', async () => {
  const home = emptyHome()
  const { cert, key } = new TestAuthority(scratchFolder()).issue({ names: 'DNS:hub.test,DNS:*.hub.test' })
  const files = ['--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key]
  const url = 'https://elsewhere.test:7700'
  const warning = `The certificate ${cert} is for hub.test, *.hub.test, and others are told ${url}: no agent accepts it there. Give --url an address with a name that it is for`
  const started = await connect(home, ['hub', 'start', ...files, '--url', url])
  expect(started).toMatchObject({ code: 0, stderr: expect.stringContaining(`[!] ${warning}`) as string })
  expect((await connect(home, ['hub', 'restart'])).stderr).toContain(`[!] ${warning}`)
  expect(await connectOk(home, ['hub', 'status'])).toContain(`    ${warning}`)
  expect(await connectOk(home, ['hub', 'logs'])).toContain(`[!] ${warning}`)
  const doctor = await connect(home, ['doctor', '--json'])
  expect(doctor.stdout).toContain('no agent accepts it there')

  const fitting = await connect(home, ['hub', 'start', '--url', 'https://a.hub.test:7700', '--json'])
  expect(JSON.parse(fitting.stdout)).toMatchObject({ outcome: 'started', warnings: [] })
  expect(await connectOk(home, ['hub', 'status'])).not.toContain('no agent accepts')
})

test('hub start tells of a certificate that has ended, and what to do', async () => {
  const home = emptyHome()
  const { cert, key } = new TestAuthority(scratchFolder()).issue({ days: -1 })
  const line = ['hub', 'start', '--listen', '127.0.0.1:0', '--tls-cert', cert, '--tls-key', key, '--json']
  const { warnings } = JSON.parse(await connectOk(home, line)) as { warnings: string[] }
  expect(warnings).toEqual([
    expect.stringMatching(
      /^The certificate \/\S+ expired on \S+: no agent accepts it\. Have it renewed: the hub takes/,
    ),
  ])
})
