import { chmodSync, mkdirSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import {
  hubOf,
  prepareConfig,
  readConfig,
  requireConfig,
  updateConfig,
  writeConfig,
  type Config,
} from '../../src/config/config.ts'
import { FIRST_STEPS } from '../../src/config/first-steps.ts'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import { ERRORS } from '../../src/error-codes.ts'
import { newKey } from '../../src/hub-client/credential.ts'
import { asNobody } from '../fixtures/machine/as-nobody.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const config: Config = {
  agentId: 'agent_0123456789abcdef',
  label: 'ada',
  hub: 'https://hub.example.com',
  hubId: 'hub_0123456789abcdef',
  insecure: false,
  key: await newKey(),
}
const whole = JSON.stringify({ version: 1, ...config })

/** An instance whose config file holds this text. */
function instanceWith(text: string | Buffer, mode = 0o600): Instance {
  const instance = instanceFor(path.join(scratchFolder(), 'staging.json'))
  writeFileSync(instance.configFile, text)
  chmodSync(instance.configFile, mode)
  return instance
}

test('what is written is read again', () => {
  const instance = instanceFor(path.join(scratchFolder(), 'staging.json'))
  expect(readConfig(instance)).toBeUndefined()
  expect(thrownBy(() => requireConfig(instance))).toMatchObject({
    code: 'NOT_CONFIGURED',
    message: 'Agent not configured',
    hints: [ERRORS.NOT_CONFIGURED.fix, ...FIRST_STEPS],
  })
  writeConfig(instance, config)
  expect(requireConfig(instance)).toEqual(config)
  expect(statSync(instance.configFile).mode & 0o777).toBe(0o600)
})

test('the folder of the default instance is made for us alone, another’s is left as it is', () => {
  const home = scratchFolder()
  vi.stubEnv('HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  const own = instanceFor()
  writeConfig(own, config)
  expect(path.dirname(own.configFile)).toBe(path.join(home, '.privateconnect'))
  expect(statSync(own.folder).mode & 0o777).toBe(0o700)
  chmodSync(own.folder, 0o755)
  prepareConfig(own, config).discard()
  expect(statSync(own.folder).mode & 0o777).toBe(0o700)
  const shared = path.join(home, 'shared')
  mkdirSync(shared)
  chmodSync(shared, 0o755)
  writeConfig(instanceFor(path.join(shared, 'staging.json')), config)
  expect(statSync(shared).mode & 0o777).toBe(0o755)
})

test('what is missing is the safe choice: a hub over plain http was not accepted', () => {
  const { insecure: _, ...without } = config
  expect(requireConfig(instanceWith(JSON.stringify({ version: 1, ...without }))).insecure).toBe(false)
})

describe('what has changed is saved:', () => {
  test('a change is read again, together with all the rest', () => {
    const instance = instanceWith(whole)
    const changed = { ...config, label: 'grace', proxy: 'http://proxy.example.com:3128/' }
    expect(updateConfig(instance, config, { label: 'grace', proxy: changed.proxy })).toEqual(changed)
    expect(readConfig(instance)).toEqual(changed)
  })

  test('no change writes nothing', () => {
    const instance = instanceWith(whole)
    expect(updateConfig(instance, config, { label: config.label })).toEqual(config)
    expect(readFileSync(instance.configFile, 'utf8')).toBe(whole)
  })
})

describe('a damaged config', () => {
  test.for([
    ['is empty', ''],
    ['is cut short', whole.slice(0, whole.length / 2)],
    ['is cut short by one character', whole.slice(0, -1)],
    ['begins with bytes of its own', `\u001f\u008b${whole}`],
    ['holds NULs, as after a crash of the file system', Buffer.alloc(300)],
    ['is not JSON', 'hub=https://hub.example.com\n'],
    ['is a list', '[]'],
    ['is null', 'null'],
    ['is a number', '7'],
    ['is an empty object', '{}'],
    ['has no version', JSON.stringify(config)],
    ['has version 0', JSON.stringify({ ...config, version: 0 })],
    ['has a version in words', JSON.stringify({ ...config, version: '1' })],
    ['has no key', JSON.stringify({ ...config, version: 1, key: undefined })],
    ['has half a key', JSON.stringify({ ...config, version: 1, key: { ...config.key, d: 'short' } })],
    ['has an id that is none', JSON.stringify({ ...config, version: 1, agentId: 'agent_<script>' })],
    ['has an empty label', JSON.stringify({ ...config, version: 1, label: '' })],
    ['has a hub that is no text', JSON.stringify({ ...config, version: 1, hub: null })],
  ] as const)('that %s is refused, and stays as it is', ([, text]) => {
    const instance = instanceWith(Buffer.from(text))
    const error = thrownBy(() => readConfig(instance))
    expect(error.code).toBe('CONFIG_DAMAGED')
    expect(error.message).toContain(instance.configFile)
    expect(error.message).not.toContain('\n')
    expect(readFileSync(instance.configFile)).toEqual(Buffer.from(text))
  })

  test.for([
    ['an agent id with something before it', { agentId: `my_${config.agentId}` }, 'agentId: not an agent id'],
    ['an agent id with something behind it', { agentId: `${config.agentId}0` }, 'agentId: not an agent id'],
    ['a hub id with something before it', { hubId: `my_${config.hubId}` }, 'hubId: not a hub id'],
    ['a hub id with something behind it', { hubId: `${config.hubId}0` }, 'hubId: not a hub id'],
    ['a proxy that is no text', { proxy: 7 }, 'proxy: not a URL'],
    [
      'a key part with something before it',
      { key: { ...config.key, x: `!${config.key.x}` } },
      'key.x: not a key',
    ],
    ['a key part that is no text', { key: { ...config.key, d: 7 } }, 'key.d: not a key'],
    ['a key of another kind', { key: { ...config.key, kty: 'RSA' } }, /: key\.kty: /],
    ['a key of another curve', { key: { ...config.key, crv: 'X25519' } }, /: key\.crv: /],
    ['a label that is too long', { label: 'a'.repeat(256) }, /: label: /],
  ] as const)('that has %s is refused, and it says so', ([, part, why]) => {
    const instance = instanceWith(JSON.stringify({ version: 1, ...config, ...part }))
    const error = thrownBy(() => readConfig(instance))
    expect(error.code).toBe('CONFIG_DAMAGED')
    expect(error.message).toMatch(typeof why === 'string' ? `${instance.configFile} is damaged: ${why}` : why)
  })

  test('that is huge is refused without reading it', () => {
    const instance = instanceWith(`"${'a'.repeat(5 * 1024 * 1024)}"`)
    expect(thrownBy(() => readConfig(instance)).code).toBe('CONFIG_DAMAGED')
  })
})

describe('the private key is not in the error about a key that', () => {
  const { d } = config.key
  const withD = (value: unknown) =>
    JSON.stringify({ version: 1, ...config, key: { ...config.key, d: value } })
  test.for([
    ['is too long', withD(`${d}!`)],
    ['is in a list', withD([d])],
    ['is in two halves', whole.replace(d, `${d.slice(0, 20)}"${d.slice(20)}`)],
    ['lacks its quotes', whole.replace(`"${d}"`, d)],
    ['is cut short', whole.slice(0, whole.indexOf(d) + 40)],
  ] as const)('%s', ([, text]) => {
    const error = thrownBy(() => readConfig(instanceWith(text)))
    expect(error.code).toBe('CONFIG_DAMAGED')
    for (let at = 0; at + 8 <= d.length; at++) expect(error.message).not.toContain(d.slice(at, at + 8))
  })
})

test('a config of a newer version is not taken for a damaged one', () => {
  const instance = instanceWith(JSON.stringify({ version: 2, whatever: true }))
  const error = thrownBy(() => readConfig(instance))
  expect(error.code).toBe('CONFIG_NEWER')
  expect(error.hints).toEqual([
    'Upgrade it by a newer version’s tarball: npm install -g ./private-connect-VERSION.tgz',
  ])
})

test('fields that a later version may add are no damage', () => {
  expect(readConfig(instanceWith(JSON.stringify({ version: 1, ...config, colour: 'blue' })))).toEqual(config)
})

test.for([0o644, 0o640, 0o604, 0o620, 0o666])(
  'a config of mode %o is refused, as others may read it',
  (mode) => {
    const instance = instanceWith(whole, mode)
    const error = thrownBy(() => readConfig(instance))
    expect(error.code).toBe('CONFIG_EXPOSED')
    expect(error.message).toContain(`(mode ${mode.toString(8)})`)
    expect(error.hints).toEqual([`Run: chmod 600 ${instance.configFile}`])
  },
)

describe('a config that cannot be read is not "no config":', () => {
  test('a folder', () => {
    const instance = instanceWith(whole)
    rmSync(instance.configFile)
    mkdirSync(instance.configFile)
    expect(thrownBy(() => readConfig(instance)).code).toBe('CONFIG_UNREADABLE')
  })

  test('a link to itself', () => {
    const instance = instanceWith(whole)
    rmSync(instance.configFile)
    symlinkSync('staging.json', instance.configFile)
    expect(thrownBy(() => readConfig(instance)).code).toBe('CONFIG_UNREADABLE')
  })

  test('a file where its folder should be', () => {
    const instance = instanceWith(whole)
    const below = instanceFor(path.join(instance.configFile, 'staging.json'))
    expect(thrownBy(() => readConfig(below)).code).toBe('CONFIG_UNREADABLE')
  })

  test('another user’s file', () => {
    const instance = instanceWith(whole, process.getuid?.() === 0 ? 0o600 : 0o000)
    chmodSync(instance.folder, 0o755)
    expect(asNobody(() => thrownBy(() => readConfig(instance))).code).toBe('CONFIG_UNREADABLE')
  })
})

describe('the hub of a config', () => {
  test('is the one that issued the credential', () => {
    expect(hubOf(config)).toBe('https://hub.example.com')
    expect(hubOf(config, 'https://HUB.example.com/')).toBe('https://hub.example.com')
  })

  test('is no other, and the error names the way to change it', () => {
    const error = thrownBy(() => hubOf(config, 'https://other.example.com'))
    expect(error.code).toBe('WRONG_HUB')
    expect(error.message).toBe(
      'This machine is logged in to https://hub.example.com, not to https://other.example.com',
    )
    expect(error.hints).toEqual(['Run: connect logout, then connect login --hub https://other.example.com'])
  })

  test('is as untrusted as a flag when it was edited by hand', () => {
    expect(thrownBy(() => hubOf({ ...config, hub: 'http://hub.example.com' })).code).toBe('INSECURE_HUB')
    const damaged = thrownBy(() => hubOf({ ...config, hub: 'ftp://hub.example.com' }))
    expect(damaged.code).toBe('CONFIG_DAMAGED')
    expect(damaged.message).toBe(
      'The hub in the config cannot be used: "ftp://hub.example.com" is not an http or https URL',
    )
    expect(damaged.cause).toMatchObject({ code: 'BAD_HUB_URL' })
    const insecure = { ...config, hub: 'http://hub.example.com', insecure: true }
    expect(hubOf(insecure)).toBe('http://hub.example.com')
    expect(hubOf(insecure, 'http://hub.example.com/')).toBe('http://hub.example.com')
    expect(thrownBy(() => hubOf(config, 'http://hub.example.com')).code).toBe('INSECURE_HUB')
  })
})
