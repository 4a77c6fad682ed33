import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { connect, runJs } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { testVariations } from '../helpers/variations.ts'

describe('a typo gets the command that was meant:', () => {
  testVariations([
    ['deamon start', 'daemon start'],
    ['daemon strat', 'daemon start'],
    ['hub token creat', 'hub token create'],
    ['log-in', 'login'],
    ['whoami me', 'whoami'],
    ['reech pg', 'reach pg'],
    ['unexpse postgres', 'unexpose postgres'],
    ['lgoin', 'login'],
    ['hub tokn list', 'hub token list'],
    ['daemon --config work.json strat', 'daemon start'],
  ] as const)('%s', async ([typed, meant]) => {
    expect(await connect(emptyHome(), typed.split(' '))).toEqual({
      code: 2,
      signal: null,
      stdout: '',
      stderr: `[x] There is no command "connect ${typed.replace(/ --config \S+/, '')}"\n  Did you mean: connect ${meant}\n`,
    })
  })

  testVariations([
    ['logs', 'daemon logs'],
    ['version', '--version'],
    ['start', 'daemon start'],
    ['stop', 'daemon stop'],
    ['ls', 'services'],
    ['serve', 'expose PORT --name NAME'],
    ['share 3000', 'expose 3000 --name NAME'],
    ['serve http://localhost:8080', 'expose localhost:8080 --name NAME'],
    ['-c frpc.toml', 'expose PORT --name NAME'],
    ['-R 8080:db:3000 host', 'expose db:3000 --name NAME'],
    ['tunnel', 'expose PORT --name NAME'],
    ['forward pg', 'reach pg'],
  ] as const)('another program’s word gets ours: %s', async ([typed, ours]) => {
    const { code, stdout, stderr } = await connect(emptyHome(), typed.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`\n  Did you mean: connect ${ours}\n`)
  })

  test('a program is told in JSON', async () => {
    const { code, stdout, stderr } = await connect(emptyHome(), ['reech', 'pg', '--json'])
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      warnings: [],
      error: {
        code: 'USAGE',
        message: 'There is no command "connect reech pg"',
        hints: ['Did you mean: connect reach pg'],
      },
    })
  })

  test('what can’t be a command of a topic leads to the topic', async () => {
    expect((await connect(emptyHome(), ['daemon', 'frobnicate'])).stderr).toContain(
      '\n  See: connect daemon --help\n',
    )
  })

  test('and what is no typo is not guessed at', async () => {
    expect(await connect(emptyHome(), ['frobnicate', 'everything'])).toMatchObject({
      code: 2,
      stderr: expect.stringMatching(
        /^\[x\] There is no command "connect frobnicate.*"\n {2}See: connect --help\n$/,
      ),
    })
  })
})

describe('a command line that cannot be understood exits 2, with one sentence and where to look:', () => {
  test.for([
    ['an unknown flag', 'daemon start --frobnicate', /--frobnicate/],
    ['a flag without its value', 'login --hub', /--hub/],
    ['a missing argument', 'expose --name web', /target/],
    ['a missing flag', 'expose 80', /^\[x\] --name is missing\n/],
    [
      'options that exclude each other',
      'reach web --stdio --keep',
      /--stdio and --keep can’t be used together/,
    ],
    [
      'a program without --',
      'reach pg psql -U me',
      /\n {2}A program and its options stand behind --: connect reach NAME -- PROGRAM/,
    ],
    ['a name without --name', 'expose 80 web', /\n {2}A name stands behind --name: connect expose/],
    ['an argument too many', 'unexpose web api', /api/],
    ['a value that is no number', 'daemon logs -n many', /many/],
  ] as const)('%s', async ([, line, about]) => {
    const { code, stdout, stderr } = await connect(emptyHome(), line.split(' '))
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(/^\[x\] \S.*\n(?: {2}.*\n)* {2}See: connect \S.*--help\n$/)
    expect(stderr).toMatch(about)
  })

  test('for a program too', async () => {
    const { code, stdout, stderr } = await connect(emptyHome(), [
      'daemon',
      'status',
      '--frobnicate',
      '--json',
    ])
    expect({ code, stderr }).toEqual({ code: 2, stderr: '' })
    expect(JSON.parse(stdout)).toEqual({
      warnings: [],
      error: {
        code: 'USAGE',
        message: expect.stringContaining('--frobnicate'),
        hints: ['See: connect daemon status --help'],
      },
    })
  })
})

test('one service with an unknown option of reach is no program without --', async () => {
  const { stderr } = await connect(emptyHome(), ['reach', 'pg', '--kep'])
  expect(stderr).toBe('[x] Nonexistent flag: --kep\n  Did you mean: --keep\n  See: connect reach --help\n')
})

describe('an option that was mistyped gets the one that was meant:', () => {
  test.for([
    ['daemon status --jsn', ['--json']],
    ['daemon logs --levl=warn --folow', ['--level', '--follow']],
    // These are like none.
    ['daemon start --zzz', []],
    ['daemon start -x', []],
  ] as const)('%s', async ([line, meant]) => {
    const { code, stderr } = await connect(emptyHome(), line.split(' '))
    const said = stderr.split('\n').filter((one) => one.includes('Did you mean'))
    expect({ code, said }).toEqual({ code: 2, said: meant.map((flag) => `  Did you mean: ${flag}`) })
  })
})

test('help shows the whole description of a command, and its summary once', async () => {
  const { stdout } = await connect(emptyHome(), ['reach', '--help'])
  expect(stdout).toMatch(
    /\nDESCRIPTION\n {2}With --keep it is saved, and the agent holds the port[^]*\n {2}With a program/,
  )
  expect(stdout.match(/Open a local port/g)).toHaveLength(1)
})

describe('a value that cannot be used exits 2, and nothing is written:', () => {
  test.for([
    ['a target', 'expose 99999 --name web', /^\[x\] 99999 is not a port \(1 to 65535\)\n/],
    [
      'a target of words',
      'expose local:host:80 --name web',
      /^\[x\] "local:host:80" is neither \[HOST:\]PORT nor unix:PATH\n/,
    ],
    [
      'a service name',
      'expose 80 --name Web_1',
      /^\[x\] "Web_1" is not a service name\n {2}Give 1 to 63 of a-z, 0-9 and -/,
    ],
    ['the name to take back', 'unexpose ../web', /^\[x\] "\.\.\/web" is not a service name\n/],
    ['the name to reach', 'reach a/b', /^\[x\] "a\/b" is not a service name\n/],
    ['a local port', 'reach web --port http', /^\[x\] "http" is not a port \(0 to 65535\)\n/],
    ['an address to listen on', 'hub --listen nowhere', /^\[x\] "nowhere" is not \[HOST:\]PORT\n/],
    ['a hub that is no URL', 'login --hub h|b', /^\[x\] "h\|b" is not a URL\n/],
    [
      'a hub with a user',
      'login --hub https://a:hunter2@b.example',
      /^\[x\] The hub URL has a user name or password in it\n/,
    ],
    ['a hub with a query', 'login --hub https://b.example/?a', /^\[x\] .* has a query or fragment\n/],
    ['a hub with another scheme', 'login --hub ftp://b.example', /^\[x\] .* is not an http or https URL\n/],
  ] as const)('%s', async ([, line, sentence]) => {
    const home = emptyHome()
    const env = { PRIVATECONNECT_TOKEN: `tok_${'0'.repeat(40)}` }
    const { code, stdout, stderr } = await connect(home, line.split(' '), { env })
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toMatch(sentence)
    expect(stderr).toMatch(/\n {2}\S.*\n$/)
    expect(stderr).not.toContain('hunter2')
  })

  test('a label', async () => {
    const args = ['login', '--hub', 'http://127.0.0.1:1', '--label']
    for (const label of ['', '   ', 'x'.repeat(256)]) {
      const { code, stderr } = await connect(emptyHome(), [...args, label])
      expect({ code, stderr }).toEqual({
        code: 2,
        stderr: '[x] A label has 1 to 255 characters\n  See: connect login --help\n',
      })
    }
  })
})

test('a hub over plain http elsewhere is refused without --insecure', async () => {
  const { code, stderr } = await connect(emptyHome(), ['login', '--hub', 'http://192.0.2.1:7700'])
  expect(code).toBe(1)
  expect(stderr).toBe(
    '[x] 192.0.2.1:7700 would be reached over plain http\n  Use its https address (a hub that others reach has a certificate of its own), or accept the risk with --insecure.\n',
  )
})

describe('on a pipe', () => {
  function homeWithLog(lines: number): Home {
    const home = emptyHome()
    mkdirSync(path.dirname(home.file('daemon.log')), { recursive: true })
    writeFileSync(home.file('daemon.log'), 'a line of the log\n'.repeat(lines))
    return home
  }

  test('nobody reads any more, and the command ends without a word', async () => {
    const home = homeWithLog(200_000)
    const args = [runJs, 'daemon', 'logs', '-n', '200000']
    const child = spawn(process.execPath, args, { env: home.env, stdio: ['ignore', 'pipe', 'pipe'] })
    const stderr = text(child.stderr)
    await once(child.stdout, 'data')
    child.stdout.destroy()
    const [code] = (await once(child, 'close')) as [number | null]
    expect(await stderr).toBe('')
    // What a shell takes for the writer's end of a broken pipe, or for done.
    expect([0, 141]).toContain(code)
  })

  test('a long log comes whole', async () => {
    const { code, stdout } = await connect(homeWithLog(20_000), ['daemon', 'logs', '-n', '20000'])
    expect(code).toBe(0)
    expect(stdout.split('a line of the log\n')).toHaveLength(20_001)
  })

  test.for(['daemon status', 'daemon start', 'daemon --help'])(
    'there are no escape codes: %s',
    async (line) => {
      const { stdout, stderr } = await connect(emptyHome(), line.split(' '))
      expect(stdout + stderr).not.toBe('')
      expect(stdout + stderr).not.toContain('\u001b')
    },
  )
})

describe('help and version', () => {
  test('need no config, and exit 0', async () => {
    for (const args of [['--help'], ['help', 'expose'], ['daemon', 'logs', '-h']]) {
      expect(await connect(emptyHome(), args), args.join(' ')).toMatchObject({
        code: 0,
        stderr: '',
        stdout: expect.stringContaining('USAGE'),
      })
    }
    for (const flag of ['--version', '-v']) {
      expect((await connect(emptyHome(), [flag])).stdout).toMatch(
        /^private-connect\/\d+\.\d+\.\d+\S* \S+ node-v/,
      )
    }
  })

  test('a hub that the environment names is no default that help would show as this machine’s', async () => {
    const { stdout } = await connect(emptyHome(), ['login', '--help'], {
      env: { CONNECT_HUB_URL: 'https://private.example' },
    })
    expect(stdout).not.toContain('private.example')
  })
})
