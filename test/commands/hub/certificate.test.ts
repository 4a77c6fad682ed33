import { expect, test } from 'vitest'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { TestAuthority } from '../../helpers/certificates.ts'
import { connectOk } from '../../helpers/cli.ts'

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
    /\n {4}Certificate: valid until \S+\n {4}The certificate \/\S+ ends in 5 days, on \S+: then no agent accepts it any more\n {4}Data: /,
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
