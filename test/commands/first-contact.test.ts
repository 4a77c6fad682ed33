import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

const WAYS_IN =
  '  With a hub’s address and a join token for it: connect login --hub URL\n' +
  '  With a hub of your own: connect hub, and then in another terminal:\n' +
  '  connect hub token create | connect login --hub 127.0.0.1:7700 --token-file -\n'

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
  ])('connect %s says which two ways lead in', async (line) => {
    const { code, stdout, stderr } = await connect(emptyHome(), line.split(' '), {
      env: /^(up|login)$/.test(line) ? env : {},
    })
    expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
    expect(stderr).toMatch(/^\[x\] \S.*\n/)
    expect(stderr.slice(-WAYS_IN.length)).toBe(WAYS_IN)
  })

  test('a hub that was named is not called the public one', async () => {
    const named = ['login', '--hub', 'http://127.0.0.1:9']
    expect((await connect(emptyHome(), named)).stderr).toBe(
      '[x] Could not reach the hub at http://127.0.0.1:9: connection refused\n' +
        '  Check the address and that the hub runs, then try again.\n',
    )
  })

  test('connect alone shows examples, every topic once, and where this machine stands', async () => {
    const help = await connectOk(emptyHome(), [])
    expect(help).toContain('\nEXAMPLES\n')
    for (const word of ['daemon', 'hub', 'plugins'])
      expect(help.match(new RegExp(`^  ${word} {2,}\\S`, 'gm')), word).toHaveLength(1)
    expect(help).toContain('\nTHIS MACHINE\n  Not logged in to a hub yet. Next:\n')
    expect(help.replaceAll(/^ {4}(?! )/gm, '  ')).toContain(WAYS_IN)
    expect(Math.max(...help.split('\n').map((line) => line.length))).toBeLessThanOrEqual(80)
    expect(await connectOk(emptyHome(), ['--help'])).not.toContain('THIS MACHINE')
  })

  test('help for a word that is no command leads on', async () => {
    expect(await connect(emptyHome(), ['help', 'daemon', 'strat'])).toMatchObject({
      code: 2,
      stderr: '[x] There is no command "connect daemon strat"\n  Did you mean: connect daemon start\n',
    })
  })
})

describe('with a hub', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('the way to a hub of one’s own works as it is printed', async () => {
    const home = emptyHome()
    const address = new URL(world.hubUrl).host
    const args = ['login', '--hub', address, '--token-file', '-']
    expect(await connectOk(home, args, { input: await world.joinToken() })).toContain(
      `[ok] Logged in to ${world.hubUrl}\n`,
    )
    expect(await connectOk(home, [])).toMatch(
      /\nTHIS MACHINE\n {2}Logged in to http:\S+ as \S+ \(agent_[0-9a-f]{16}\)\n/,
    )
  })

  test('a hub with data of its own says where its tokens are made', async () => {
    const home = emptyHome()
    const folder = home.file('hub of ours')
    const args = ['hub', '--listen', '127.0.0.1:0', '--data-dir', folder]
    const hub = world.keep(startConnect(home, args))
    await hub.printed(new RegExp(`Let a machine join: connect hub token create --data-dir '${folder}'\n`))
    await hub.stop('SIGINT')
  })

  test('up says how to keep the agent, and so does an install that it is in the way of', async () => {
    const home = await joined(world)
    const up = world.keep(startConnect(home, ['up', '--foreground']))
    await up.printed(/Connected to hub/)
    expect(up.stderr).toBe(
      'The agent runs in the foreground, until Ctrl-C.\n' +
        '  To keep it running: Ctrl-C, then connect daemon install (or connect up --detach)\n',
    )
    const { stderr } = await connect(home, ['daemon', 'start'])
    expect(stderr).toContain('End it with Ctrl-C where it runs, then run: connect daemon start\n')
    await up.stop('SIGINT')
  })
})
