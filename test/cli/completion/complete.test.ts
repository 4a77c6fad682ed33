import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { createServer, type RequestListener } from 'node:http'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { complete } from '../../../src/cli/completion/complete.ts'
import { createToken } from '../../../src/cli/hub/create-token.ts'
import { claimInstanceName } from '../../../src/config/claimed-names.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { writeReaches } from '../../../src/config/reaches.ts'
import { writeServices } from '../../../src/config/services.ts'
import type { Offer } from '../../../src/control/schema.ts'
import { hubInProcess, member } from '../../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connectOk, root } from '../../helpers/cli.ts'
import { makeHome } from '../../helpers/home.ts'

const { oclif } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
  oclif: { plugins: string[]; topics: Record<string, object> }
}
const PROGRAM = { root, plugins: oclif.plugins, topics: oclif.topics }

let home: string

beforeEach(() => {
  home = scratchFolder()
  mkdirSync(path.join(home, '.privateconnect'), { mode: 0o700 })
  vi.stubEnv('HOME', home)
  vi.stubEnv('XDG_DATA_HOME', undefined)
  onTestFinished(() => void vi.unstubAllEnvs())
})

/** What is answered behind these words, of which the last one is under the cursor. */
async function answer(...words: string[]) {
  const typed = words.at(-1) ?? ''
  const reply = await complete({ words: ['connect', ...words.slice(0, -1)], typed, start: 0 }, PROGRAM)
  const fitting = reply.candidates.filter(({ value }) => value.startsWith(reply.typed))
  return { ...reply, values: fitting.map(({ value }) => value) }
}

/** An agent that answers so. */
async function agentThat(listener: RequestListener): Promise<void> {
  const server = createServer(listener)
  await new Promise<void>((done) => server.listen(instanceFor().socketPath, done))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
}

function offering(...offers: Partial<Offer>[]): RequestListener {
  const full = offers.map((one) => ({ port: 5432, agent: 'agent_1', label: 'ada', online: true, ...one }))
  return (_, response) => response.end(JSON.stringify({ offers: full }))
}

const WORDS =
  'autocomplete daemon doctor expose help hub login logout plugins reach services ssh status unexpose unreach up whoami'

describe('words of commands and their options:', () => {
  test.for([
    [[''], WORDS],
    [['re'], 'reach'],
    [['daemon', 'st'], 'start status stop'],
    [['hub', 'token', ''], 'create list revoke'],
    [['hub', '--listen', '127.0.0.1:0', 'to'], 'token'],
    [['--config', 'x', 'daemon', 'st'], 'start status stop'],
    [['help', 'hub', 'ag'], 'agent'],
    [['help', 'daemon', '--'], '--nested-commands --help'],
    [['plugins', 'un'], 'uninstall'],
    [['daemon', 'logs', '--f'], '--follow'],
    [['daemon', 'logs', '-f', '-'], '--config --hub --json --level --lines --since -n --help'],
    [['daemon', 'status', '--he'], '--help'],
    [['-'], '--config --json --version --help'],
    [['expose', '5432', '--na'], '--name'],
    [['reach', 'pg', '--keep', '--s'], ''],
    [['plugins', 'link', '--'], '--json --help'],
    [['daemon', 'logs', '--level', ''], 'info warn error'],
    [['daemon', 'logs', '--level=w'], 'warn'],
    [['autocomplete', ''], 'bash zsh fish powershell'],
    [['autocomplete', 'bash', ''], ''],
    [['daemon', 'status', ''], ''],
    [['daemon', 'status', '--json=x'], ''],
    [['nonsense', ''], ''],
    [['nonsense', '--'], ''],
    [['expose', '5432', ''], ''],
    [[], WORDS],
  ] as const)('%j can be %s', async ([words, expected]) => {
    const { kind, values } = await answer(...words)
    expect([kind, values.join(' ')]).toEqual(['words', expected])
  })

  test('each command and option says what it is', async () => {
    const all = [...(await answer('')).candidates, ...(await answer('hub', '')).candidates]
    expect(all.filter(({ about }) => !about)).toEqual([])
    expect((await answer('hub', 'ag')).candidates[0]?.about).toBe('The machines that have joined')
    expect((await answer('reach', '--ke')).candidates).toContainEqual({
      value: '--keep',
      about: 'have the agent hold the port from now on; connect unreach NAME takes it back',
    })
  })

  test('each value that a command takes is one that is completed, or that nobody could know', async () => {
    const { commands } = JSON.parse(readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')) as {
      commands: Record<string, { flags: Record<string, { type: string; helpValue?: string; options?: [] }> }>
    }
    const OPEN = ['URL', 'NAME', 'LABEL', 'N', 'TIME', '30s', 'PORT', 'ADDR', 'HOST:PORT']
    const COMPLETED = ['FILE', 'PATH', 'DIR']
    const flags = Object.entries(commands).flatMap(([id, { flags }]) =>
      Object.entries(flags).map(([name, flag]) => ({ name: `${id} --${name}`, ...flag })),
    )
    const unknown = flags.filter(
      ({ type, options, helpValue = '' }) =>
        type === 'option' && !options && ![...OPEN, ...COMPLETED].includes(helpValue),
    )
    expect(unknown.map(({ name }) => name)).toEqual([])
  })
})

describe('files are the shell’s own business:', () => {
  test.for([
    [['daemon', 'status', '--config', ''], 'files', ''],
    [['daemon', 'status', '--config=st'], 'files', '--config='],
    [['login', '--token-file', 'x'], 'files', ''],
    [['reach', 'pg', '--socket', ''], 'files', ''],
    [['hub', 'backup', ''], 'files', ''],
    [['hub', '--data-dir', ''], 'folders', ''],
    [['expose', 'unix:/run/p'], 'files', 'unix:'],
    [['plugins', 'install', './'], 'files', ''],
    [['ssh', '-i', ''], 'files', ''],
    [['expose', '54'], 'words', ''],
    [['expose', '5432', '--name', ''], 'words', ''],
    [['login', '--hub', ''], 'words', ''],
  ] as const)('%j is asked for %s', async ([words, kind, prefix]) => {
    expect(await answer(...words)).toMatchObject({ kind, prefix, candidates: [] })
  })

  test('instances that were started here are offered beside them', async () => {
    const file = path.join(home, 'my configs', 'staging.json')
    mkdirSync(path.dirname(file))
    writeFileSync(file, '{}')
    claimInstanceName(instanceFor(file))
    claimInstanceName(instanceFor(path.join(home, 'gone.json')))
    expect(await answer('reach', '--config', '')).toMatchObject({ kind: 'files', values: [file] })
    expect(await answer('ssh', '--config', '')).toMatchObject({ kind: 'files', values: [file] })
  })
})

describe('services', () => {
  test('are those that the workspace offers, by the word of the agent, each once', async () => {
    await agentThat(offering({ name: 'postgres' }, { name: 'redis', label: 'bob', online: false }))
    expect((await answer('reach', '')).candidates).toEqual([
      { value: 'postgres', about: 'from ada' },
      { value: 'redis', about: 'from bob, which is not connected' },
    ])
    expect((await answer('reach', 'postgres:15432', '--keep', '')).values).toEqual(['redis'])
    expect(await answer('reach', 'redis', 'postgres:')).toMatchObject({
      prefix: 'postgres:',
      values: ['5432'],
    })
    expect(await answer('reach', 'nothing:')).toMatchObject({ values: [] })
  })

  test('are named to ssh, behind a user and its options, and nothing is behind them', async () => {
    await agentThat(offering({ name: 'dev' }, { name: 'web' }))
    expect((await answer('ssh', '')).values).toEqual(['dev', 'web'])
    expect(await answer('ssh', '-vp', '22', 'alice@d')).toMatchObject({ prefix: 'alice@', values: ['dev'] })
    expect(await answer('ssh', '-p', '')).toMatchObject({ kind: 'words', values: [] })
    expect(await answer('ssh', 'dev', '')).toMatchObject({ kind: 'words', values: [] })
    expect((await answer('ssh', '--config', 'dev', '')).values).toEqual(['dev', 'web'])
    expect((await answer('ssh', '-')).values).toEqual(['--config', '--help'])
  })

  test.for([
    ['no agent listens', undefined],
    ['an agent hangs', () => {}],
    ['an agent fails', (_: unknown, response: { end(text: string): void }) => response.end('{')],
  ] as const)('are those that files here name, where %s', async ([, listener]) => {
    if (listener) await agentThat(listener)
    writeReaches(instanceFor(), [{ name: 'postgres', port: 15_432 }])
    writeServices(instanceFor(), [{ name: 'web', host: 'localhost', port: 80 }])
    expect((await answer('reach', '')).candidates).toEqual([
      { value: 'postgres', about: 'kept on port 15432' },
      { value: 'web', about: 'localhost:80' },
    ])
    expect((await answer('unreach', '')).values).toEqual(['postgres'])
    expect((await answer('unexpose', '')).values).toEqual(['web'])
  })

  test('of another instance are those of the one that is named before', async () => {
    const other = instanceFor(path.join(home, 'other.json'))
    writeServices(other, [{ name: 'theirs', host: 'localhost', port: 80 }])
    expect((await answer('unexpose', '--config', other.configFile, '')).values).toEqual(['theirs'])
    expect((await answer('--config', other.configFile, 'unexpose', '')).values).toEqual(['theirs'])
    expect((await answer('--config=~/other.json', 'unexpose', '')).values).toEqual(['theirs'])
    expect((await answer('unexpose', '')).values).toEqual([])
  })

  test('that a hub could do harm by are left out, and what is said of others is made harmless', async () => {
    const names = [
      '--config=/evil',
      '-h',
      '$(touch pwned)',
      '`id`',
      'a b',
      "it's",
      'a\nb',
      'a\u001B[31m',
      'ü',
      '',
      '*',
    ]
    await agentThat(offering(...names.map((name) => ({ name })), { name: 'ok', label: 'a\t\n\u001B]0;x' }))
    expect((await answer('reach', '')).candidates).toEqual([
      { value: 'ok', about: String.raw`from a\u{9}\u{a}\u{1b}]0;x` },
    ])
  })

  test('of a file that is damaged are none', async () => {
    writeFileSync(instanceFor().servicesFile, '{')
    await expect(answer('unexpose', '')).rejects.toThrow('is not valid JSON')
    expect((await answer('reach', '')).values).toEqual([])
  })
})

test('the word behind -- is another program’s', async () => {
  expect(await answer('reach', 'pg', '--', '')).toMatchObject({ kind: 'program', first: 4 })
  expect(await answer('reach', '--', 'psql', '-h')).toMatchObject({ kind: 'program', first: 3 })
  expect(await answer('unexpose', '--', '--')).toMatchObject({ kind: 'words' })
})

describe('of a hub on this machine', () => {
  test('machines and join tokens are offered to be revoked, and no token is told', async () => {
    const hub = await hubInProcess()
    const [ada, eve] = [await member(hub, 'ada'), await member(hub, 'eve')]
    await hub.hub.revokeAgent(eve.agentId)
    const [old, valid] = [
      await createToken(hub.folder, { ttlMs: 60_000, uses: 1 }),
      await createToken(hub.folder, { ttlMs: 60_000, uses: 3 }),
    ]
    await hub.hub.revokeToken(old.id)
    const dir = `--data-dir=${hub.folder}`
    expect((await answer('hub', 'agent', 'revoke', dir, '')).candidates).toEqual([
      { value: ada.agentId, about: 'ada' },
    ])
    expect((await answer('hub', dir, 'agent', 'remove', '')).candidates).toHaveLength(2)
    const tokens = await answer('hub', 'token', 'revoke', '--data-dir', hub.folder, '')
    expect(tokens.candidates).toEqual([
      { value: valid.id, about: expect.stringMatching(/^3 left, until \d{4}-/) as string },
    ])
    expect(JSON.stringify(tokens)).not.toContain(valid.token)
    await hub.close()
    expect((await answer('hub', 'agent', 'revoke', dir, '')).values).toEqual([])
  })
})

describe('plugins that the user has installed', () => {
  function install(plugins: readonly unknown[]): string {
    const data = path.join(home, '.local', 'share', 'private-connect')
    mkdirSync(path.join(data, 'node_modules', 'one'), { recursive: true })
    writeFileSync(path.join(data, 'package.json'), JSON.stringify({ oclif: { plugins } }))
    return data
  }

  test('add their commands, wherever they are, and ours stay ours', async () => {
    const linked = scratchFolder()
    const data = install([
      { name: 'one', type: 'user' },
      { name: 'two', type: 'link', root: linked, platforms: ['runit'] },
    ])
    const flags = {
      how: { name: 'how', char: 'h', type: 'option', options: ['fast'] },
      wait: { name: 'wait', type: 'boolean', allowNo: true },
      help: { name: 'help', type: 'boolean' },
    }
    const args = { what: { name: 'what' } }
    const commands = {
      'backup:now': { summary: 'Back up\nnow', flags, args, aliases: ['save'] },
      'backup:secret': { hidden: true },
      reach: { summary: 'not ours' },
    }
    writeFileSync(path.join(data, 'node_modules/one/oclif.manifest.json'), JSON.stringify({ commands }))
    writeFileSync(
      path.join(linked, 'oclif.manifest.json'),
      JSON.stringify({ commands: { zoo: { description: 'See <%= config.bin %>' } } }),
    )
    expect((await answer('')).values).toEqual([...WORDS.split(' '), 'backup', 'zoo'].toSorted())
    expect((await answer('zo')).candidates).toContainEqual({ value: 'zoo', about: 'See connect' })
    expect((await answer('backup', '')).candidates).toEqual([{ value: 'now', about: 'Back up' }])
    expect((await answer('backup', 'now', '-h', '')).values).toEqual(['fast'])
    expect((await answer('save', '--how', '')).values).toEqual(['fast'])
    expect((await answer('backup', 'now', '--')).values).toEqual(['--help', '--how', '--no-wait', '--wait'])
    expect(await answer('backup', 'now', '')).toMatchObject({ kind: 'files' })
    expect((await answer('re')).candidates).not.toContainEqual({ value: 'reach', about: 'not ours' })
    expect((await answer('plugins', 'uninstall', '')).values).toEqual(['one', 'two'])
    expect((await answer('daemon', 'install', '--platform', '')).values.at(-1)).toBe('runit')
  })

  test('that are broken change nothing', async () => {
    const data = install([{ name: 'one', type: 'user' }, { name: 'gone' }, 'old'])
    const manifest = path.join(data, 'node_modules/one/oclif.manifest.json')
    writeFileSync(manifest, '{')
    expect((await answer('')).values).toEqual(WORDS.split(' '))
    const odd = [
      { summary: 5 },
      { description: {} },
      { flags: 'x' },
      { aliases: 'x' },
      { args: { a: { name: 'a', options: [1] } } },
      { flags: { a: { name: 7 } } },
    ]
    writeFileSync(
      manifest,
      JSON.stringify({ commands: { ...Object.fromEntries(Object.entries(odd)), sound: {} } }),
    )
    expect((await answer('')).values).toEqual([...WORDS.split(' '), 'sound'].toSorted())
    const commands = { bad: null, worse: { flags: { x: null } }, 'a\nb': {}, good: {} }
    writeFileSync(path.join(data, 'node_modules/one/oclif.manifest.json'), JSON.stringify({ commands }))
    expect((await answer('')).values).toEqual([...WORDS.split(' '), 'good'].toSorted())
    expect((await answer('--')).values).toContain('--config')
    writeFileSync(path.join(data, 'package.json'), '{"oclif": 1}')
    expect((await answer('')).values).toEqual(WORDS.split(' '))
  })
})

test('the program answers a shell by itself, and has no word for one that it does not know', async () => {
  const machine = makeHome()
  onTestFinished(() => machine.remove())
  const ask = (...args: string[]) => connectOk(machine, ['__complete', ...args])
  expect(await ask('bash', 'connect daemon st', ' =:')).toBe('words 0\nstart\nstatus\nstop\n')
  expect(await ask('zsh', 'connect', 'daemon', 'sto')).toContain('\nstop\tStop the daemon')
  expect(await ask('tcsh', 'connect', '')).toBe('')
  expect(await ask()).toBe('')
})
