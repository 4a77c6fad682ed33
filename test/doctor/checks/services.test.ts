import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { instanceFor, type AgentInstance } from '../../../src/config/instance.ts'
import { writeReaches } from '../../../src/config/reaches.ts'
import { writeServices } from '../../../src/config/services.ts'
import type { AgentAnswer } from '../../../src/control/ask-agent.ts'
import type { ReachStatus } from '../../../src/control/schema.ts'
import { keptPorts } from '../../../src/doctor/checks/services/kept-ports.ts'
import { reachedServices, type ReachedContext } from '../../../src/doctor/checks/services/reached-services.ts'
import { targets, type TargetsContext } from '../../../src/doctor/checks/services/targets.ts'
import { HubWay } from '../../../src/doctor/way/hub-way.ts'
import { wayOf } from '../../../src/doctor/way/way-of.ts'
import { hubInProcess, linked, member } from '../../fixtures/hub/hub-in-process.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { echoServer, serveTcp, serveUnix } from '../../helpers/servers.ts'
import { byState, runAll } from '../helpers/way-checks.ts'

const CHECKS = [targets, keptPorts, reachedServices]

interface Machine {
  readonly instance: AgentInstance
  readonly config?: Config
  readonly said?: AgentAnswer
}

function look({ instance, config, said }: Machine) {
  const way = config ? Promise.resolve(new HubWay(config)) : wayOf(Promise.resolve(config))
  way.catch(() => {})
  return runAll<TargetsContext & ReachedContext>(CHECKS, {
    instance,
    way: () => way,
    config: async () => config,
    agent: async () => said,
  })
}

function newInstance(): AgentInstance {
  return instanceFor(path.join(scratchFolder(), 'staging.json'))
}

/** An agent that says that it holds, or does not hold, what is kept. */
function saying(instance: AgentInstance, reaches: readonly Partial<ReachStatus>[]): AgentAnswer {
  const held = { bind: null, agent: null, addresses: ['127.0.0.1'], code: null, reason: null, failure: null }
  const status = {
    agent: identityFor(instance),
    agentId: 'agent_0123456789abcdef',
    label: 'ada',
    hubUrl: '',
    hub: { state: 'connected', since: '' } as const,
    services: [],
    reaches: reaches.map((reach) => ({ name: 'web', port: 1, since: '', connections: 0, ...held, ...reach })),
    streams: 0,
  }
  return { status, version: '0.1.0' }
}

/** A port that nobody listens at. */
async function closedPort(): Promise<number> {
  const server = await serveTcp(() => {})
  await server.close()
  return server.port
}

async function listeningPort(): Promise<number> {
  const server = await echoServer()
  onTestFinished(() => server.close())
  return server.port
}

test('a machine that exposes nothing and keeps nothing has nothing to look at', async () => {
  expect(byState(await look({ instance: newInstance() }))).toEqual({
    skipped: ['targets', 'kept-ports', 'reached-services'],
  })
})

test('where all is there, each check says so', async () => {
  const hub = await hubInProcess()
  const [config, other] = [await member(hub), await member(hub, 'server')]
  const { link } = await linked(other)
  await link.offer([{ name: 'web', port: 80 }])
  const instance = newInstance()
  const socket = path.join(scratchFolder(), 'app.sock')
  const app = await serveUnix(socket, () => {})
  onTestFinished(() => app.close())
  writeServices(instance, [
    { name: 'echo', host: '127.0.0.1', port: await listeningPort() },
    { name: 'app', path: socket },
  ])
  const said = { ...saying(instance, [{ agent: other.agentId }]) }
  const kept = { ...said, status: { ...said.status!, services: [{ name: 'app', path: socket }] } }
  expect(byState(await look({ instance, config, said: kept }))).toEqual({
    ok: ['targets', 'kept-ports', 'reached-services'],
  })
  const found = await look({ instance, config })
  expect(found.targets).toMatchObject({ state: 'ok', seen: '2 targets answered' })
})

test('targets that don’t answer fail, each with its reason', async () => {
  const instance = newInstance()
  const port = await closedPort()
  writeServices(instance, [
    { name: 'api', host: '127.0.0.1', port },
    { name: 'app', path: path.join(scratchFolder(), 'gone.sock') },
    { name: 'echo', host: '127.0.0.1', port: await listeningPort() },
  ])
  const { targets: found } = await look({ instance })
  expect(found).toMatchObject({
    state: 'failed',
    fix: 'Start what should listen there, or run: connect unexpose api',
  })
  expect(found!.seen).toMatch(
    new RegExp(
      `^2 of 3 targets did not answer: api \\(127\\.0\\.0\\.1:${port}\\): connection refused; app \\(unix:.*\\): there is no such file$`,
    ),
  )
})

test('two hundred dead targets are looked at in time, and five of them named', async () => {
  const instance = newInstance()
  const port = await closedPort()
  const names = Array.from({ length: 200 }, (_, n) => `api-${n}`)
  writeServices(
    instance,
    names.map((name) => ({ name, host: '127.0.0.1', port })),
  )
  const { targets: found } = await look({ instance })
  expect(found!.seen).toMatch(/^200 of 200 targets .*; and 195 more$/)
})

test('a kept port that another program has fails, and names the program', async () => {
  const instance = newInstance()
  const port = await listeningPort()
  const reach = { name: 'web', port, addresses: [], code: 'PORT_IN_USE', reason: 'Port is in use' }
  const { 'kept-ports': found } = await look({ instance, said: saying(instance, [reach]) })
  expect(found).toMatchObject({
    state: 'failed',
    fix: 'End that program, or keep another port: connect reach web --keep --port 0',
  })
  const who = process.platform === 'linux' ? `\\(PID: ${process.pid}\\) has it` : 'Port is in use'
  expect(found!.seen).toMatch(new RegExp(`^1 of 1 port not held: localhost:${port} for web, .*${who}$`))
})

test('without an agent, kept ports are looked at only as far as others have them', async () => {
  const instance = newInstance()
  writeReaches(instance, [{ name: 'web', port: await closedPort() }])
  expect((await look({ instance }))['kept-ports']).toMatchObject({
    state: 'skipped',
    seen: 'Not looked at, since no agent runs here',
  })
  if (process.platform !== 'linux') return
  writeReaches(instance, [{ name: 'web', port: await listeningPort() }])
  expect((await look({ instance }))['kept-ports']).toMatchObject({ state: 'warning' })
})

test('an agent that hangs is no second failure', async () => {
  const instance = newInstance()
  writeReaches(instance, [{ name: 'web', port: await closedPort() }])
  const said = { silence: 'the agent does not answer on its socket', version: null }
  expect((await look({ instance, said }))['kept-ports']).toMatchObject({
    state: 'skipped',
    seen: 'Not looked at, since the agent does not answer on its socket',
  })
})

test('a service behind a kept port that is gone, offline, another’s, or fails is told', async () => {
  const hub = await hubInProcess()
  const [config, other] = [await member(hub), await member(hub, 'server')]
  const { link, stop } = await linked(other)
  await link.offer([{ name: 'web', port: 80 }])
  const instance = newInstance()
  const found = async (reach: Partial<ReachStatus>) =>
    (await look({ instance, config, said: saying(instance, [reach]) }))['reached-services']
  expect(await found({ name: 'gone' })).toMatchObject({
    state: 'failed',
    seen: 'No machine exposes gone',
    fix: 'Expose it where it runs, or run: connect unreach gone',
  })
  expect(await found({ agent: config.agentId })).toMatchObject({
    state: 'failed',
    seen: 'web is now of another machine, server',
  })
  const failure = { cause: 'target', reason: 'connection refused', since: '' } as const
  // What a machine calls itself is never part of a command.
  expect(await found({ failure })).toMatchObject({
    state: 'failed',
    seen: 'web of server fails: connection refused',
    fix: 'There run: connect doctor',
  })
  expect(await found({})).toMatchObject({ state: 'ok' })
  await stop()
  await expect.poll(async () => (await found({}))!.seen).toBe('web is of server, which is not connected')
})

test('what the hub does not say is no second failure', async () => {
  const hub = await hubInProcess()
  const config = await member(hub)
  await hub.close()
  const instance = newInstance()
  const found = await look({ instance, config, said: saying(instance, [{}]) })
  expect(found['reached-services']).toMatchObject({ state: 'skipped' })
})
