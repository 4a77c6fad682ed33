import { existsSync, writeFileSync } from 'node:fs'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { joined } from '../fixtures/joined.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connect, connectOk, runJs, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { labSuite } from './helpers/suite.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** An agent in a PID namespace of its own, with the same home folder: what a container that mounts it has. */
async function agentInContainer(home: Home): Promise<RunningCli> {
  const agent = runProgram(
    [
      'unshare',
      '--pid',
      '--fork',
      '--mount-proc',
      '--kill-child',
      process.execPath,
      runJs,
      'up',
      '--foreground',
    ],
    { env: home.env, cwd: home.folder },
  )
  await agent.printed(/Connected to hub/)
  return agent
}

interface Status {
  readonly status: string
  readonly reason: string | null
  readonly pid: number | null
}

async function statusOf(home: Home): Promise<Status> {
  return JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as Status
}

labSuite('a container that shares the home folder', { programs: ['unshare'], root: true }, () => {
  test('its agent is told to be elsewhere, is not signalled, and no second one is started', async () => {
    const home = await joined(world)
    const agent = await agentInContainer(home)
    expect(await statusOf(home)).toMatchObject({
      status: 'unknown',
      pid: null,
      reason: expect.stringContaining('runs in another container') as string,
    })
    for (const action of [['start'], ['stop'], ['restart'], ['start', '--replace']]) {
      const { code, stdout, stderr } = await connect(home, ['daemon', ...action])
      expect({ action, code }).toEqual({ action, code: 1 })
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toMatch(/^\[x\] The agent of this instance runs in another container/)
    }
    expect(identify(agent.pid)).toBeDefined()
    expect(agent.output).not.toContain('Stopp')
  })

  test('what a container leaves behind is stale, whoever has its number here', async () => {
    const home = await joined(world)
    const agent = await agentInContainer(home)
    // As a daemon's: in the container it had a number that a process has here too, most likely 1.
    writeFileSync(home.file('daemon.pid'), '1\n')
    await agent.stop('SIGKILL')
    const status = await connectOk(home, ['daemon', 'status'])
    expect(status).toContain('○ Status: stopped\n    (cleaned up stale PID file)')
    expect(existsSync(home.file('daemon.pid'))).toBe(false)
    await connectOk(home, ['daemon', 'start'])
    expect((await statusOf(home)).status).toBe('running')
    onTestFinished(async () => void (await connectOk(home, ['daemon', 'stop'])))
  })
})
