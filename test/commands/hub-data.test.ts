import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

const idOf = async (home: Home) => {
  const { agentId } = JSON.parse(await connectOk(home, ['whoami', '--json'])) as { agentId: string }
  return agentId
}

test('the list of machines says who is online, and when the others were', async () => {
  const home = await joined(world, 'seen')
  const id = await idOf(home)
  const line = async () => {
    const lines = (await connectOk(world.hubHome, ['hub', 'agent', 'list'])).split('\n')
    return lines.find((one) => one.startsWith(id))
  }
  expect(await line()).toMatch(/seen +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d +-$/)
  const up = startConnect(home, ['up', '--foreground'])
  await up.printed(/Connected to hub/)
  expect(await line()).toMatch(/ online$/)
  await up.stop('SIGINT')
  await expect.poll(line, { timeout: 30_000 }).toMatch(/(?: +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d){2}$/)
})

test('the list of machines goes on without a hub in a terminal that hangs, and says what to do there', async () => {
  world.hub.kill('SIGSTOP')
  const { code, stdout, stderr } = await connect(world.hubHome, ['hub', 'agent', 'list'])
  world.hub.kill('SIGCONT')
  expect({ code, stderr }).toEqual({
    code: 0,
    stderr: `[!] The hub does not answer, so who is online is not known
  End it with Ctrl-C where it runs (PID: ${world.hub.pid}), and start it there again.
`,
  })
  expect(stdout).toContain('seen')
})

test('a backup brings back a hub, but not a machine that was revoked since, nor a join token', async () => {
  const [good, outcast] = [await joined(world, 'good'), await joined(world, 'outcast')]
  const token = await world.joinToken()
  const file = path.join(scratchFolder(), 'backup.db')
  expect(await connectOk(world.hubHome, ['hub', 'backup', file])).toMatch(
    /^\[ok\] Backed up the hub to \S+ \(\d+ KB\)\n {2}\d machines, \d names?, 1 valid join token\n$/,
  )
  await connectOk(world.hubHome, ['hub', 'agent', 'revoke', await idOf(outcast)])
  await connectOk(world.hubHome, ['hub', 'agent', 'remove', await idOf(outcast)])
  await connectOk(world.hubHome, ['hub', 'agent', 'remove', await idOf(good)])
  expect(await connect(world.hubHome, ['hub', 'restore', file])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^\[x\] A hub is running on .*\n {2}Stop it first: connect hub stop/),
  })
  expect(await connect(good, ['services'])).toMatchObject({ code: 1 })
  await world.hub.stop()
  const { code, stdout, stderr } = await connect(world.hubHome, ['hub', 'restore', file])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '  Next: connect hub start\n' })
  expect(stdout).toMatch(/^\[ok\] Restored the hub as it was on \d{4}-.*\n/)
  expect(stdout).toMatch(new RegExp(`^${await idOf(good)} +good +- +had left since$`, 'm'))
  expect(stdout).toMatch(new RegExp(`^${await idOf(outcast)} +outcast +- +revoked$`, 'm'))
  await world.restartHub()
  expect(await connect(good, ['services'])).toMatchObject({ code: 0 })
  expect(await connect(outcast, ['services'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The hub has revoked this agent'),
  })
  const stranger = world.emptyMachine()
  const env = { PRIVATECONNECT_TOKEN: token }
  expect(await connect(stranger, ['login', '--hub', world.hubUrl], { env })).toMatchObject({ code: 1 })
})
