import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { readConfig } from '../../src/config/config.ts'
import { writeHubSettings } from '../../src/config/hub/hub-settings.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { formatInvite, parseInvite } from '../../src/tunnel/protocol/invite.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { needsTerminal } from '../fixtures/machine/needs-terminal.ts'
import { pemOf, TestAuthority } from '../helpers/certificates.ts'
import { connect, connectOk, runJs, RunningCli, startConnect } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { crossroads, eavesdropper } from '../hub-client/helpers/eavesdropper.ts'

const folder = makeHome('authority')
let world: World

beforeAll(async () => {
  const { cert, key } = new TestAuthority(folder.folder).issue({ full: true })
  world = await World.start({ hub: ['--tls-cert', cert, '--tls-key', key] })
})

afterAll(async () => {
  await world.stop()
  folder.remove()
})

async function newInvite(args: readonly string[] = []): Promise<string> {
  return (await connectOk(world.hubHome, ['hub', 'token', 'create', '--invite', ...args])).trim()
}

function loginBy(home: Home, invite: string, args: readonly string[] = []) {
  return connect(home, ['login', ...args], { env: { PRIVATECONNECT_TOKEN: invite } })
}

/** @param command for a shell */
function onTerminal(home: Home, command: string): RunningCli {
  const options = { env: home.env, cwd: home.folder }
  return new RunningCli(spawn('script', ['-qfec', command, '/dev/null'], options), command)
}

function authorityOf(home: Home): string | undefined {
  return readConfig(instanceFor(undefined, home.folder))?.authority
}

describe('hub token create --invite', () => {
  test('prints the invite, and nothing else, on stdout', async () => {
    const { code, stdout } = await connect(world.hubHome, ['hub', 'token', 'create', '--invite'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^inv_[\w-]+\n$/)
    expect(parseInvite(stdout)).toEqual({
      address: world.hubUrl,
      token: expect.stringMatching(/^tok_[0-9a-f]{40}$/),
      fingerprint: expect.stringMatching(/^[\w-]{43}$/),
    })
  })

  test('tells a program the same, and no token besides', async () => {
    const before = Date.now()
    const { stdout } = await connect(world.hubHome, ['hub', 'token', 'create', '--invite', '--json'])
    const made = JSON.parse(stdout) as { id: string; invite: string; expiresAt: string }
    expect(made).toEqual({
      id: expect.stringMatching(/^jt_/),
      invite: expect.stringMatching(/^inv_/),
      address: world.hubUrl,
      expiresAt: expect.stringMatching(/Z$/),
      warnings: [`This invite is good on this machine only: its hub is reached at ${world.hubUrl}`],
    })
    expect(Date.parse(made.expiresAt) - before - 3_600_000).toBeGreaterThanOrEqual(0)
    const listed = await connectOk(world.hubHome, ['hub', 'token', 'list'])
    expect(listed).toMatch(new RegExp(`^${made.id} +valid +1 `, 'm'))
  })

  test('to a hub that made its own certificate is all that a machine needs, and says how it is used', async (context) => {
    needsTerminal(context)
    const home = emptyHome('hub')
    const hub = world.keep(
      startConnect(home, ['hub', '--listen', '0.0.0.0:0', '--url', 'https://hub.test:7700']),
    )
    const [, port] = await hub.printed(/listening on https:\/\/0\.0\.0\.0:(\d+)/)
    const command = `stty cols 60 rows 40; exec '${process.execPath}' '${runJs}' hub token create --invite`
    const terminal = onTerminal(home, command)
    expect(await terminal.exited).toMatchObject({ code: 0 })
    const [invite, ...said] = terminal.stdout.replaceAll('\r\n', '\n').split('\n')
    expect(said.join('\n')).toMatch(
      /^For one machine, until \d{4}-.*\n {2}There run, and paste it where it is asked for:\n? +connect login\n$/,
    )
    const machine = emptyHome()
    const { stderr, code } = await loginBy(machine, invite!, ['--hub', `https://localhost:${port}`])
    expect({ stderr, code }).toEqual({ stderr: '', code: 0 })
    expect(authorityOf(machine)).toBe(readFileSync(home.file('hub/tls/authority.pem'), 'utf8'))
    await hub.stop('SIGINT')
  })

  test('on a terminal, but piped on, says nothing of pasting it', async (context) => {
    needsTerminal(context)
    const home = emptyHome('hub')
    writeHubSettings({ plainHttp: true, url: 'https://hub.test' }, home.folder)
    const command = `'${process.execPath}' '${runJs}' hub token create --invite | cat`
    const terminal = onTerminal(home, command)
    expect(await terminal.exited).toMatchObject({ code: 0 })
    expect(terminal.output).toMatch(/^inv_\S+\r\n$/)
  })

  test('of a hub that was never installed says what to run, and makes no token', async () => {
    const home = emptyHome()
    const { code, stdout, stderr } = await connect(home, ['hub', 'token', 'create', '--invite'])
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(
      /^\[x\] This hub does not run, and it is not known .*\n {2}Give it one: connect hub start --listen .*\n$/,
    )
    expect((await connect(home, ['hub', 'token', 'list'])).stderr).toContain('[x] ')
  })

  test('of a hub on localhost that does not run names neither of its two addresses', async () => {
    const home = emptyHome()
    writeHubSettings({ listen: 'localhost:7700' }, home.folder)
    const { code, stdout, stderr } = await connect(home, ['hub', 'token', 'create', '--invite'])
    expect([code, stdout]).toEqual([1, ''])
    expect(stderr).toContain('[x] This hub does not run, and it is not known where it will be reached')
  })

  test.for([
    [{ plainHttp: true }, 'http://127.0.0.1:7700', false],
    [{ listen: '[::1]:7701', plainHttp: true }, 'http://[::1]:7701', false],
    [{ url: 'https://hub.example.com', plainHttp: true }, 'https://hub.example.com', false],
    [{}, 'https://127.0.0.1:7700', true],
    [{ listen: '192.0.2.7:80', insecure: true }, 'http://192.0.2.7', false],
    [{ listen: '192.0.2.7:7700', insecure: true }, 'http://192.0.2.7:7700', false],
    [{ listen: '192.0.2.7:7700', url: 'https://hub.example.com' }, 'https://hub.example.com', true],
  ] as const)('of a hub with the settings %j names %s', async ([settings, address, isOwn]) => {
    const home = emptyHome()
    writeHubSettings(settings, home.folder)
    const args = ['hub', 'token', 'create', '--invite', '--json']
    if (isOwn) {
      const none = await connect(home, args)
      expect(none.code).toBe(1)
      expect(JSON.parse(none.stdout).error.hints.join()).toContain('connect hub start')
      return
    }
    const made = JSON.parse(await connectOk(home, args)) as { address: string; invite: string }
    expect([made.address, parseInvite(made.invite).address]).toEqual([address, address])
  })
})

describe('login by an invite', () => {
  test('asks for no hub, and takes it from a file that a chat has wrapped', async () => {
    const home = emptyHome()
    const wrapped = (await newInvite()).replaceAll(/.{60}/g, '$&\n  ')
    const stdout = await connectOk(home, ['login', '--token-file', '-'], { input: `\n${wrapped}\n` })
    expect(stdout).toContain(`[ok] Logged in to ${world.hubUrl}\n`)
    expect(authorityOf(home)).toContain('BEGIN CERTIFICATE')
  })

  test('at another address than the invite’s is verified by the invite all the same', async () => {
    const home = emptyHome()
    const named = world.hubUrl.replace('127.0.0.1', 'localhost')
    const { code, stdout } = await loginBy(home, await newInvite(), ['--hub', named])
    expect(code).toBe(0)
    expect(stdout).toContain(`[ok] Logged in to ${named}\n`)
    expect(authorityOf(home)).toContain('BEGIN CERTIFICATE')
    const plain = await loginBy(emptyHome(), await newInvite(), [
      '--hub',
      world.hubUrl.replace('https', 'http'),
    ])
    expect(plain.stderr).toMatch(
      /^\[x\] The invite is for a hub with a certificate, and http:\S+ is plain http\n/,
    )
  })

  test('is what a first connect up takes, too', async () => {
    const home = emptyHome()
    const up = startConnect(home, ['up'], { env: { PRIVATECONNECT_TOKEN: await newInvite() } })
    onTestFinished(() => up.stop())
    await up.printed(/Connected to hub/)
    expect(await connectOk(home, ['services'])).toBeDefined()
  })

  test('is asked for on a terminal, without a trace of what is pasted, in however many lines', async (context) => {
    needsTerminal(context)
    const home = emptyHome()
    const invite = await newInvite()
    const command = `exec '${process.execPath}' '${runJs}' login`
    mkdirSync(home.folder)
    const terminal = spawn('script', ['-qfec', command, '/dev/null'], { env: home.env, cwd: home.folder })
    const running = new RunningCli(terminal, 'login')
    await running.printed(/Invite or join token \(from whoever runs the hub\): $/)
    terminal.stdin.write(`${invite.replaceAll(/.{50}/g, '$&\r')}\r`)
    expect(await running.exited).toMatchObject({ code: 0 })
    expect(running.output).toContain('[ok] Logged in to ')
    expect(running.output.replaceAll(/\s/g, '')).not.toContain(invite.slice(4, 40))
  })

  test('that is used, expired or altered is refused with one sentence, and nothing is kept', async () => {
    const used = await newInvite()
    expect((await loginBy(emptyHome(), used)).code).toBe(0)
    const invite = await newInvite()
    for (const [text, sentence] of [
      [used, 'The invite was used already'],
      [
        `${invite.slice(0, 30)}${invite[30] === 'a' ? 'b' : 'a'}${invite.slice(31)}`,
        'The invite is incomplete, or a',
      ],
      [invite.slice(0, -1), 'The invite is incomplete, or a'],
      [
        `${invite.slice(0, 30)}\u200b${invite.slice(30)}`,
        'The invite has characters in it that no invite has',
      ],
    ] as const) {
      const home = emptyHome()
      const { code, stdout, stderr } = await loginBy(home, text)
      expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
      expect(stderr.startsWith(`[x] ${sentence}`), stderr).toBe(true)
      expect(stderr).not.toMatch(/inv_\w|tok_\w/)
      expect(readConfig(instanceFor(undefined, home.folder))).toBeUndefined()
    }
    expect((await loginBy(emptyHome(), invite)).code).toBe(0)
  })

  test('leaves nothing of its hub after a logout', async () => {
    const home = emptyHome()
    await loginBy(home, await newInvite())
    expect(authorityOf(home)).toBeDefined()
    await connectOk(home, ['logout'])
    expect(readdirSync(home.file('.')).filter((name) => name !== 'cache')).toEqual(['agent.lock'])
  })

  test('gives way to an authority that is named by --ca', async () => {
    const home = emptyHome()
    await loginBy(home, await newInvite())
    await connectOk(home, ['login', '--ca', path.join(folder.folder, 'ca.pem')])
    expect(authorityOf(home)).toBeUndefined()
    expect(await connectOk(home, ['services'])).toBeDefined()
  })

  test('believes no other authority from then on, be it one that this machine trusts', async () => {
    const company = new TestAuthority(path.join(folder.folder, 'company'))
    const hubPort = Number(new URL(world.hubUrl).port)
    const between = await eavesdropper(pemOf(company.issue({ full: true })), hubPort)
    let way = hubPort
    const { port } = await crossroads(() => way)
    const home = emptyHome()
    const joined = await loginBy(home, await newInvite(), ['--hub', `https://127.0.0.1:${port}`])
    expect(joined.code).toBe(0)
    way = between.port
    const env = { NODE_EXTRA_CA_CERTS: company.certFile }
    const { code, stderr } = await connect(home, ['services'], { env })
    expect({ code, heard: between.heard }).toEqual({ code: 1, heard: '' })
    expect(stderr).toMatch(
      /: The certificate at \S+ is not of the authority that this machine’s invite names\n$/,
    )
    way = hubPort
    expect((await connect(home, ['services'], { env })).code).toBe(0)
  })

  test('over plain http has to be accepted by whoever joins', async () => {
    const plain = formatInvite({ address: 'http://192.0.2.7:7700', token: `tok_${'0'.repeat(40)}` })
    const { code, stderr } = await loginBy(emptyHome(), plain)
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] 192\.0\.2\.7:7700 would be reached over plain http\n/)
  })

  test('on a machine without authorities of its own says nothing of them', async () => {
    const SSL_CERT_DIR = path.join(folder.folder, 'nowhere')
    const env = { PRIVATECONNECT_TOKEN: await newInvite(), SSL_CERT_DIR, SSL_CERT_FILE: SSL_CERT_DIR }
    expect(await connect(emptyHome(), ['login'], { env })).toMatchObject({ code: 0, stderr: '' })
  })

  test('while logged in to another hub stays with that one, and spends nothing', async () => {
    const home = emptyHome()
    await loginBy(home, await newInvite())
    const another = formatInvite({ address: 'http://127.0.0.1:9', token: `tok_${'0'.repeat(40)}` })
    expect((await loginBy(home, another)).stdout).toContain(`[ok] Already logged in to ${world.hubUrl}\n`)
  })

  test('for the hub’s own machine says so where there is no hub', async () => {
    const home = emptyHome()
    writeHubSettings({ listen: '127.0.0.1:9', plainHttp: true }, home.folder)
    const made = await connect(home, ['hub', 'token', 'create', '--invite'])
    expect(made.stderr).toBe(
      '[!] This invite is good on this machine only: its hub is reached at http://127.0.0.1:9\n',
    )
    const { stderr } = await loginBy(emptyHome(), made.stdout)
    expect(stderr).toContain(
      '  The invite names http://127.0.0.1:9: it is for the machine that the hub runs on',
    )
  })
})

test.for([
  'login INVITE',
  'login --hub INVITE',
  'login --hub=https://INVITE',
  'login --token-file INVITE',
  'up --token=INVITE',
  'INVITE',
])('an invite in the command line is refused, and not repeated: %s', async (words) => {
  const invite = await newInvite()
  const args = words.split(' ').map((word) => word.replace('INVITE', invite))
  const { code, stdout, stderr } = await connect(emptyHome(), args)
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
  expect(stderr).toMatch(/^\[x\] An invite or a join token must not stand in the command line/)
  expect(stderr).not.toMatch(/inv_\w/)
})
