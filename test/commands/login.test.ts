import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { NOT_CONFIGURED } from '../fixtures/product/not-configured.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { echoServer } from '../helpers/servers.ts'
import { testVariations } from '../helpers/variations.ts'
import { World } from '../helpers/world.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { runFixture } from '../fixtures/run-fixture.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

interface TokenRow {
  readonly id: string
  readonly usesLeft: number
  readonly state: string
}

async function newToken(args: readonly string[] = []): Promise<{ id: string; token: string }> {
  const made = await connectOk(world.hubHome, ['hub', 'token', 'create', '--json', ...args])
  return JSON.parse(made) as { id: string; token: string }
}

async function tokenRow(id: string): Promise<TokenRow | undefined> {
  const listed = JSON.parse(await connectOk(world.hubHome, ['hub', 'token', 'list', '--json']))
  return (listed as { tokens: TokenRow[] }).tokens.find((token) => token.id === id)
}

function login(home: Home, token: string | undefined, args: readonly string[] = [], input?: string) {
  const env = token === undefined ? {} : { PRIVATECONNECT_TOKEN: token }
  const stdin = input === undefined ? {} : { input }
  return connect(home, ['login', '--hub', world.hubUrl, ...args], { env, ...stdin })
}

/** What a login that failed may leave: the compile cache, and nothing else. */
function filesOf(home: Home): string[] {
  const folder = home.file('.')
  return existsSync(folder) ? readdirSync(folder).filter((name) => name !== 'cache') : []
}

describe('login', () => {
  test('saves a credential, and says what comes next', async () => {
    const home = emptyHome()
    const { token } = await newToken()
    const { code, stdout, stderr } = await login(home, token, ['--label', 'ada'])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(stdout).toMatch(
      /^\[ok\] Logged in to http:\S+\n {2}Agent ID: agent_[0-9a-f]{16}\n {2}Label: ada\n$/,
    )
    expect(statSync(home.file('config.json')).mode & 0o777).toBe(0o600)
    expect(filesOf(home)).toEqual(['config.json'])
  })

  test('a second time says so, and spends no token', async () => {
    const home = await joined(world)
    const before = readFileSync(home.file('config.json'))
    const { id, token } = await newToken()
    const { code, stdout } = await login(home, token)
    expect(code).toBe(0)
    expect(stdout).toContain(`[ok] Already logged in to ${world.hubUrl}\n`)
    expect(await tokenRow(id)).toMatchObject({ usesLeft: 1, state: 'valid' })
    expect(readFileSync(home.file('config.json'))).toEqual(before)
  })

  test('a second time with another label saves that, and says how the hub learns it', async () => {
    const home = await joined(world)
    expect(await connect(home, ['login', '--label', 'grace'])).toMatchObject({
      stdout: expect.stringMatching(/\n {2}Label: grace\n$/),
      stderr: '  Next: connect daemon restart (if the daemon runs)\n',
    })
    expect(await connectOk(home, ['whoami'])).toContain('Label: grace\n')
  })

  test('to another hub is refused while logged in to one', async () => {
    const home = await joined(world)
    const { code, stderr } = await connect(home, ['login', '--hub', 'https://other.example.com'])
    expect(code).toBe(1)
    expect(stderr).toBe(
      `[x] This machine is logged in to ${world.hubUrl}, not to https://other.example.com\n` +
        '  Run: connect logout, then connect login --hub https://other.example.com\n',
    )
  })

  test('takes the token from a file, or from stdin', async () => {
    const { token } = await newToken(['--uses', '2'])
    const fromFile = emptyHome()
    mkdirSync(fromFile.folder)
    writeFileSync(path.join(fromFile.folder, 'token.txt'), `${token}\n`)
    expect(await login(fromFile, undefined, ['--token-file', 'token.txt'])).toMatchObject({
      code: 0,
      stderr: '',
    })
    expect(await login(emptyHome(), undefined, ['--token-file', '-'], `${token}\n`)).toMatchObject({
      code: 0,
    })
  })

  test('tells a program who this machine is', async () => {
    const { token } = await newToken()
    const { stdout } = await login(emptyHome(), token, ['--label', 'ada', '--json'])
    expect(JSON.parse(stdout)).toEqual({
      warnings: [],
      agentId: expect.stringMatching(/^agent_/),
      label: 'ada',
      hub: world.hubUrl,
      alreadyLoggedIn: false,
    })
  })
})

describe('a join token', () => {
  test('lets in as many machines as it has uses', async () => {
    const { id, token } = await newToken(['--uses', '2'])
    expect((await login(emptyHome(), token)).code).toBe(0)
    expect((await login(emptyHome(), token)).code).toBe(0)
    expect(await tokenRow(id)).toMatchObject({ usesLeft: 0, state: 'used up' })
    const third = emptyHome()
    expect(await login(third, token)).toMatchObject({
      code: 1,
      stdout: '',
      stderr: '[x] The join token was used already\n  Ask for a new one: connect hub token create --invite\n',
    })
    expect(filesOf(third)).toEqual([])
  })

  test('is refused once it is revoked, expired or unknown', async () => {
    const revoked = await newToken()
    await connectOk(world.hubHome, ['hub', 'token', 'revoke', revoked.id])
    const expired = await newToken(['--ttl', '1s'])
    const refused = async (token: string, why: string) => {
      const home = emptyHome()
      const { code, stderr } = await login(home, token)
      expect({ code, files: filesOf(home) }).toEqual({ code: 1, files: [] })
      expect(stderr.startsWith(`[x] ${why}\n  Ask for a new one: `), stderr).toBe(true)
      expect(stderr).not.toContain(token)
    }
    await refused(revoked.token, 'The join token was revoked')
    await refused(`tok_${'0'.repeat(40)}`, 'The hub did not accept the join token')
    await expect.poll(async () => (await tokenRow(expired.id))?.state, { timeout: 30_000 }).toBe('expired')
    await refused(expired.token, 'The join token has expired')
    expect(await tokenRow(revoked.id)).toMatchObject({ state: 'revoked' })
  })

  test.for([
    ['missing', undefined, [], 'There is no invite, and no join token'],
    [
      'of another kind',
      'ghp_secretsecret',
      [],
      'This is neither an invite nor a join token: they begin with inv_ and tok_\n',
    ],
    [
      'in a file that is not there',
      undefined,
      ['--token-file', 'missing.txt'],
      'Could not read the join token',
    ],
    ['in an empty file', undefined, ['--token-file', '/dev/null'], 'The join token is empty'],
    ['on an empty stdin', undefined, ['--token-file', '-'], 'The join token is empty'],
  ] as const)('that is %s is a clear error', async ([, token, args, sentence]) => {
    const home = emptyHome()
    const { code, stdout, stderr } = await login(home, token, args)
    expect({ code, stdout, files: filesOf(home) }).toEqual({ code: 1, stdout: '', files: [] })
    expect(stderr.startsWith(`[x] ${sentence}`)).toBe(true)
    expect(stderr).toMatch(/\n {2}.*--token-file FILE\)?\n$/)
    expect(stderr).not.toContain('ghp_')
  })

  test('is not spent when the credential cannot be saved', async () => {
    const home = emptyHome()
    const { id, token } = await newToken()
    const missing = path.join(home.folder, 'missing', 'staging.json')
    const { code, stderr } = await login(home, token, ['--config', missing])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Could not write .*staging\.json: ENOENT.*\n {2}\S/)
    expect(await tokenRow(id)).toMatchObject({ usesLeft: 1, state: 'valid' })
  })
})

test('the hub can say which tokens there are, but not the tokens', async () => {
  const { id, token } = await newToken(['--ttl', '7d'])
  const listed = await connectOk(world.hubHome, ['hub', 'token', 'list'])
  expect(listed).toMatch(new RegExp(`^${id} +valid +1 +\\d{4}-`, 'm'))
  expect(listed).not.toContain(token)
})

testVariations([
  ['--ttl', '0s'],
  ['--ttl', 'tomorrow'],
  ['--ttl', '10'],
  ['--uses', '0'],
  ['--uses', '1.5'],
  ['--uses', 'many'],
] as const)('hub token create %s %s is refused', async ([flag, value]) => {
  const { code, stdout, stderr } = await connect(emptyHome(), ['hub', 'token', 'create', flag, value])
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^\[x\] .*\n {2}\S/)
})

describe('whoami', () => {
  test('shows who this machine is', async () => {
    const home = await joined(world, 'ada')
    const { agentId } = JSON.parse(readFileSync(home.file('config.json'), 'utf8')) as { agentId: string }
    expect(await connectOk(home, ['whoami'])).toBe(`Agent ID: ${agentId}\nLabel: ada\nHub: ${world.hubUrl}\n`)
    expect(JSON.parse(await connectOk(home, ['whoami', '--json']))).toEqual({
      warnings: [],
      agentId,
      label: 'ada',
      hub: world.hubUrl,
    })
  })

  test('says how to log in', async () => {
    expect(await connect(emptyHome(), ['whoami'])).toMatchObject({
      code: 1,
      stdout: '',
      stderr: NOT_CONFIGURED,
    })
  })
})

describe('logout', () => {
  test('forgets the credential, here and at the hub', async () => {
    const home = await joined(world, 'leaver')
    const { agentId } = JSON.parse(await connectOk(home, ['whoami', '--json'])) as { agentId: string }
    expect(await connectOk(home, ['logout'])).toBe(`[ok] Logged out of ${world.hubUrl}\n`)
    expect(existsSync(home.file('config.json'))).toBe(false)
    expect(await connectOk(world.hubHome, ['hub', 'agent', 'list'])).not.toContain(agentId)
    expect(await connectOk(home, ['logout'])).toBe('Not logged in\n')
  })

  test('waits for no agent: one that runs must be stopped first', async () => {
    const home = await joined(world)
    const up = world.keep(startConnect(home, ['up']))
    await up.printed(/Connected to hub/)
    const { code, stderr } = await connect(home, ['logout'])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] An agent is running with this credential\n {2}\S.*\n$/)
    expect(existsSync(home.file('config.json'))).toBe(true)
    await up.stop()
  })

  test('takes a command that holds the lock for a moment for no agent', async () => {
    const home = await joined(world)
    const other = runFixture('hold-lock.ts', [home.file('agent.lock')])
    await other.printed(/held/)
    const logout = startConnect(home, ['logout'])
    // Nothing tells when it has come to the lock; later is no harm.
    await sleep(1000)
    await other.stop('SIGKILL')
    expect(await logout.exited).toEqual({ code: 0, signal: null })
    expect(logout.stdout).toBe(`[ok] Logged out of ${world.hubUrl}\n`)
  })

  test('goes on without a hub, and says that it could not be told', async () => {
    const home = await joined(world)
    const file = home.file('config.json')
    const config = JSON.parse(readFileSync(file, 'utf8')) as object
    const nobody = await echoServer()
    await nobody.close()
    writeFileSync(file, JSON.stringify({ ...config, hub: `http://127.0.0.1:${nobody.port}` }))
    const { code, stdout, stderr } = await connect(home, ['logout'])
    expect(code).toBe(0)
    expect(stdout).toBe(`[ok] Logged out of http://127.0.0.1:${nobody.port}\n`)
    expect(stderr).toMatch(/^\[!\] The hub could not be told: .*connection refused\n$/)
    expect(existsSync(file)).toBe(false)
  })
})
