import { readFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { joined } from '../fixtures/joined.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

test('a machine that is revoked is cut off at once, and its agent ends for good', async () => {
  const home = await joined(world, 'outcast')
  const { agentId } = JSON.parse(await connectOk(home, ['whoami', '--json'])) as { agentId: string }
  const agent = startConnect(home, ['up', '--hub', world.hubUrl], { env: { CONNECT_DAEMON: '1' } })
  const log = () => readFileSync(home.file('daemon.log'), 'utf8')
  await world.hub.printed(new RegExp(`${agentId} \\(outcast\\) connected`))
  await connectOk(home, ['expose', '80', '--name', 'outcasts'])

  expect(await connectOk(world.hubHome, ['hub', 'agent', 'revoke', agentId])).toBe(
    `[ok] Revoked ${agentId}\n`,
  )
  expect(await agent.exited).toEqual({ code: 78, signal: null })
  expect(log()).toMatch(/ error \[x\] The hub has revoked this agent\n.*Log in again.*\n$/)
  await world.hub.printed(new RegExp(`${agentId} \\(outcast\\) disconnected: this agent was revoked`))
  expect(await connectOk(world.hubHome, ['hub', 'agent', 'list'])).toMatch(
    new RegExp(`^${agentId} +outcast(?: +\\d{4}-\\d\\d-\\d\\d \\d\\d:\\d\\d:\\d\\d){2} +revoked$`, 'm'),
  )

  // Nothing that it has kept helps it; the config is as it was, for whoever looks into it.
  expect(await connect(home, ['daemon', 'start'])).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(
      /^\[x\] Daemon failed to start: Process exited with code 78\n.*\n.*\n.*has revoked this/,
    ),
  })
  expect(await connect(home, ['services'])).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('The hub has revoked this agent'),
  })
  expect(await connectOk(home, ['whoami'])).toContain(agentId)
})

test('a machine that is revoked while it is away is not let in again', async () => {
  const home = await joined(world, 'absent')
  const { agentId } = JSON.parse(await connectOk(home, ['whoami', '--json'])) as { agentId: string }
  await connectOk(world.hubHome, ['hub', 'agent', 'revoke', agentId])
  const up = startConnect(home, ['up', '--foreground'])
  expect(await up.exited).toEqual({ code: 78, signal: null })
  expect(up.stderr).toMatch(/^\[x\] The hub has revoked this agent\n {2}Log in again/m)
})

test('revoking an unknown machine is an error that says where to look', async () => {
  expect(await connect(world.hubHome, ['hub', 'agent', 'revoke', 'agent_0000000000000000'])).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^\[x\] There is no machine "agent_0000000000000000"\n {2}See the list: connect hub agent list\n$/,
    ),
  })
})
