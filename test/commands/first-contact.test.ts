import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

const WAYS_IN =
  '  With an invite to a hub: connect login\n' +
  '  With a hub’s address and a join token for it: connect login --hub URL\n' +
  '  With a hub of your own: connect hub install --listen 0.0.0.0:7700\n'

describe('on a machine that knows no hub', () => {
  // Nothing answers at port 9 (discard) of this machine: the public hub can't be reached.
  const env = { HTTPS_PROXY: 'http://127.0.0.1:9', PRIVATECONNECT_TOKEN: `tok_${'0'.repeat(40)}` }

  test.for([
    'up',
    'login',
    'daemon install',
    'daemon --hub http://127.0.0.1:9 start',
    'whoami',
    'services',
    'expose 80 --name web',
  ])('connect %s says which ways lead in', async (line) => {
    const { code, stdout, stderr } = await connect(emptyHome(), line.split(' '), {
      env: /^(up|login)$/.test(line) ? env : {},
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^\[x\] \S.*\n/)
    expect(stderr.slice(-WAYS_IN.length)).toBe(WAYS_IN)
  })

  test('a hub that was named is not called the public one', async () => {
    const named = ['login', '--hub', 'http://127.0.0.1:9']
    expect((await connect(emptyHome(), named, { env })).stderr).toBe(
      '[x] Could not reach the hub at http://127.0.0.1:9: connection refused\n' +
        '  Check the address and that the hub runs, then try again.\n',
    )
  })

  test('help shows examples, and every command and topic once, by what one wants to do', async () => {
    const help = await connectOk(emptyHome(), ['--help'])
    expect(help).toContain('\nEXAMPLES\n')
    const titles = ['THIS MACHINE', 'OFFER A SERVICE', 'REACH A SERVICE', 'KEEP IT RUNNING', 'RUN A HUB']
    for (const title of titles) expect(help).toContain(`\n${title}\n`)
    expect(help).not.toContain('FROM PLUGINS')
    for (const word of ['daemon', 'expose', 'hub', 'plugins', 'status'])
      expect(help.match(new RegExp(`^  ${word} {2,}\\S`, 'gm')), word).toHaveLength(1)
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
  })

  test('help for a word that is no command leads on', async () => {
    expect(await connect(emptyHome(), ['help', 'daemon', 'strat'])).toMatchObject({
      code: 2,
      stderr: '[x] There is no command "connect daemon strat"\n  Did you mean: connect daemon start\n',
    })
  })
})

test('a word behind a topic is taken for one that is like it alone', async () => {
  const meant = async (line: string) => (await connect(emptyHome(), line.split(' '))).stderr.split('\n')[1]
  expect(await meant('daemon wipe')).toBe('  See: connect daemon --help')
  expect(await meant('daemon lgos')).toBe('  Did you mean: connect daemon logs')
  expect(await meant('deamon start')).toBe('  Did you mean: connect daemon start')
})

describe('with a hub', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('a hub’s address needs no scheme on this machine, and a join token comes by a pipe', async () => {
    const home = emptyHome()
    const address = new URL(world.hubUrl).host
    const args = ['login', '--hub', address, '--token-file', '-']
    expect(await connectOk(home, args, { input: await world.joinToken() })).toContain(
      `[ok] Logged in to ${world.hubUrl}\n`,
    )
  })

  test('a hub with data of its own says where its tokens are made', async () => {
    const home = emptyHome()
    const folder = home.file('hub of ours')
    const args = ['hub', '--listen', '127.0.0.1:0', '--data-dir', folder]
    const hub = world.keep(startConnect(home, args))
    const command = `connect hub token create --invite --data-dir '${folder}'`
    await hub.printed(new RegExp(`\n {2}Next: ${command} \\(for this machine: it listens on loopback\\)\n`))
    await hub.stop('SIGINT')
  })

  test('up says how to keep the agent, and so does an install that it is in the way of', async () => {
    const home = await joined(world)
    const up = world.keep(startConnect(home, ['up', '--foreground']))
    await up.printed(/Connected to hub/)
    expect(up.stderr).toBe(
      'The agent runs in the foreground, until Ctrl-C.\n' +
        '  Next: connect daemon start (after Ctrl-C, to keep it running; it does not come back after a reboot)\n',
    )
    const { stderr } = await connect(home, ['daemon', 'start'])
    expect(stderr).toContain('End it with Ctrl-C where it runs, then run: connect daemon start\n')
    await up.stop('SIGINT')
  })
})
