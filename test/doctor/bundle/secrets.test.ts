import { expect, test } from 'vitest'
import { knownSecrets } from '../../../src/doctor/bundle/secrets.ts'
import { newKey } from '../../../src/hub-client/credential.ts'

test('what is secret here is known, as it is written and as it is meant, the longest first', async () => {
  const key = await newKey()
  const proxy = 'http://jeanne:p%40ss%2Fword@proxy.test:3128'
  const config = { agentId: '', label: '', hub: '', hubId: '', insecure: false, key, proxy }
  const env = {
    PRIVATECONNECT_TOKEN: 'tok_of-mine',
    https_proxy: 'marie:open-sesame@proxy.test:1',
    HTTP_PROXY: 'http://100%25:%zz@proxy.test',
    NO_PROXY: 'hub.test',
    PATH: '/usr/bin',
  }
  const secrets = knownSecrets(config, env)
  expect(secrets).toEqual(
    expect.arrayContaining([
      key.d,
      key.x,
      proxy,
      'jeanne',
      'p%40ss%2Fword',
      'p@ss/word',
      'tok_of-mine',
      'marie:open-sesame@proxy.test:1',
      'marie',
      'open-sesame',
      '100%',
      '%zz',
    ]),
  )
  expect(secrets).not.toContain('hub.test')
  expect(secrets).not.toContain('/usr/bin')
  expect(secrets.map(({ length }) => length)).toEqual(
    secrets.map(({ length }) => length).toSorted((a, b) => b - a),
  )
  expect(new Set(secrets).size).toBe(secrets.length)
})

test('where there is nothing secret there is nothing to look for, and no letter counts as that', () => {
  expect(knownSecrets(undefined, {})).toEqual([])
  expect(knownSecrets(undefined, { http_proxy: '', all_proxy: 'http://a:bc@p' })).toEqual(['http://a:bc@p'])
})
