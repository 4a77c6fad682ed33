import { expect, test } from 'vitest'
import type { HubSettings } from '../../../src/config/hub/hub-settings.ts'
import { servingOf } from '../../../src/config/hub/serving.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const FILES = { tlsCert: '/cert.pem', tlsKey: '/key.pem' }
const GIVEN = { cert: '/cert.pem', key: '/key.pem' }

test.for<[HubSettings, unknown, unknown]>([
  [{}, 'own', undefined],
  [{ listen: '[::1]:7700' }, 'own', undefined],
  [{ listen: '0.0.0.0:7700' }, 'own', 'own'],
  [{ plainHttp: true }, undefined, undefined],
  [{ insecure: true }, undefined, undefined],
  [{ listen: '0.0.0.0:7700', insecure: true }, undefined, undefined],
  [{ listen: '0.0.0.0:7700', insecure: true, plainHttp: true }, undefined, undefined],
  [FILES, GIVEN, GIVEN],
  [{ ...FILES, insecure: true }, GIVEN, GIVEN],
])('with %j a hub that is kept serves with %j, and one in the foreground with %j', ([settings, ...tls]) => {
  expect([servingOf(settings).tls, servingOf(settings, 'foreground').tls]).toEqual(tls)
})

test.for<[string, HubSettings, string]>([
  ['plain http that others reach', { plainHttp: true, listen: '0.0.0.0:7700' }, 'INSECURE_HUB'],
  ['a certificate and plain http', { ...FILES, plainHttp: true }, 'BAD_VALUE'],
  ['an address on plain http for a hub with a certificate', { url: 'http://localhost:7700' }, 'BAD_VALUE'],
])('%s are refused', ([, settings, code]) => {
  expect(thrownBy(() => servingOf(settings))).toMatchObject({ code })
})

test('plain http on loopback may have the address of a reverse proxy', () => {
  expect(servingOf({ plainHttp: true, url: 'https://hub.example.com' })).toMatchObject({
    tls: undefined,
    url: 'https://hub.example.com',
  })
})
