import { describe, expect, onTestFinished, test } from 'vitest'
import type { Config } from '../../../src/config/config.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import type { AgentAnswer } from '../../../src/control/ask-agent.ts'
import { agentLink } from '../../../src/doctor/checks/hub/agent-link.ts'
import { HubWay } from '../../../src/doctor/way/hub-way.ts'
import { newKey } from '../../../src/hub-client/credential.ts'
import { hubInProcess, member, stranger } from '../../fixtures/hub/hub-in-process.ts'
import { startHostileHub, HUB_ID, NONCE } from '../../fixtures/hub/hostile-hub.ts'
import { HUB_HEADER } from '../../../src/tunnel/protocol/handshake.ts'
import { localTime } from '../../../src/text/local-time.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { inBetween } from '../helpers/in-between.ts'
import { byState, runAll, runWayChecks } from '../helpers/way-checks.ts'

test('a credential that was revoked fails, and a WebSocket still counts as let through', async () => {
  const hub = await hubInProcess()
  const config = await member(hub)
  await hub.hub.revokeAgent(config.agentId)
  const found = await runWayChecks({ config })
  expect(byState(found).failed).toEqual(['credential'])
  expect(found.credential).toMatchObject({
    seen: 'The hub has revoked this agent',
    fix: expect.stringMatching(/connect logout, then connect login/) as string,
  })
  expect(found.websocket).toMatchObject({ state: 'ok', seen: 'The request for one arrives at the hub' })
})

test('a credential that the hub does not know fails', async () => {
  const { credential } = await runWayChecks({ config: await stranger(await hubInProcess()) })
  expect(credential).toMatchObject({ state: 'failed', seen: 'The hub does not know this agent' })
})

test('a credential of another hub fails, and both are named', async () => {
  const [before, now] = [await hubInProcess(), await hubInProcess()]
  const config = { ...(await member(before)), hub: now.url }
  const { credential } = await runWayChecks({ config })
  expect(credential).toMatchObject({
    state: 'failed',
    seen: `The hub at ${now.url} is ${now.hub.id}, and this machine’s credential is of ${before.hub.id}`,
    fix: expect.stringMatching(/connect login/) as string,
  })
})

test('a key whose halves don’t belong together fails, and is not shown', async () => {
  const hub = await hubInProcess()
  const config = await member(hub)
  const key = { ...config.key, d: (await newKey()).d }
  const { credential } = await runWayChecks({ config: { ...config, key } })
  expect(credential!.state).toBe('failed')
  expect(JSON.stringify(credential)).not.toContain(key.d)
})

test('a hub that is older, or newer, is a warning that says which one to upgrade', async () => {
  const config = await member(await hubInProcess())
  const { versions: older } = await runWayChecks({ config, version: '0.10.0' })
  expect(older).toMatchObject({
    state: 'warning',
    seen: 'The hub is 0.1.0, this program 0.10.0',
    fix: expect.stringMatching(/^Have the hub upgraded/) as string,
  })
  const { versions: newer } = await runWayChecks({ config, version: '0.0.9' })
  expect(newer).toMatchObject({ state: 'warning', fix: expect.stringMatching(/^Upgrade this one/) as string })
})

test('a hub that speaks another protocol fails', async () => {
  const info = { hub: HUB_ID, protocol: 2, version: '9.0.0', nonce: NONCE }
  const hostile = await startHostileHub({
    answer: (_request, response) => response.setHeader(HUB_HEADER, HUB_ID).end(JSON.stringify(info)),
  })
  onTestFinished(() => hostile.close())
  const config = { ...(await stranger(await hubInProcess())), hub: hostile.url, hubId: HUB_ID }
  const { versions } = await runWayChecks({ config })
  expect(versions).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(/the hub speaks protocol 2, and this program 1$/) as string,
  })
})

test('a clock that is another than the hub’s is a warning, and how far it is off', async () => {
  const hub = await hubInProcess()
  const config = await member(hub)
  const dated = async (ms: number) => {
    const header = { date: new Date(Date.now() + ms).toUTCString() }
    const { clock } = await runWayChecks({
      config: { ...config, hub: await inBetween(hub.hub.port, { header }) },
    })
    return clock
  }
  expect(await dated(-600_000)).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/^This one is 10 minutes ahead of the hub’s/) as string,
    fix: expect.stringMatching(/set/) as string,
  })
  expect((await dated(5 * 86_400_000))!.seen).toMatch(/^This one is 5 days behind the hub’s/)
  expect((await dated(-20_000))!.state).toBe('ok')
  expect(await dated(Number.NaN)).toMatchObject({ state: 'unknown', seen: 'The hub’s answers have no date' })
})

describe('the link of the agent', () => {
  type Hub = NonNullable<AgentAnswer['status']>['hub']

  /** What is told of an agent that says this of its link. */
  async function told(config: Config, hub: Hub | undefined, saved = config) {
    const status = hub && {
      agent: identityFor(instanceFor('/none/staging.json')),
      agentId: config.agentId,
      label: 'ada',
      hubUrl: config.hub,
      hub,
      services: [],
      streams: 0,
    }
    const said = { version: '0.1.0', ...(status ? { status } : { silence: 'it does not answer' }) }
    const way = new HubWay(saved)
    const context = { way: async () => way, agent: async () => said }
    return (await runAll([agentLink], context))['agent-link']
  }

  const since = '2026-11-27T10:30:00.000Z'

  test('that is up is ok', async () => {
    const config = await member(await hubInProcess())
    expect(await told(config, { state: 'connected', since })).toMatchObject({ state: 'ok' })
  })

  test('that is up to another hub than the one that this machine is logged in to fails', async () => {
    const config = await member(await hubInProcess())
    const saved = { ...config, hub: 'https://new.example.com' }
    expect(await told(config, { state: 'connected', since }, saved)).toMatchObject({
      state: 'failed',
      seen: `The agent that runs is logged in to ${config.hub}, and this machine to https://new.example.com`,
      fix: 'Run: connect daemon restart',
    })
  })

  test('that is down fails where this command gets through, which is a second failure nowhere else', async () => {
    const hub = await hubInProcess()
    const config = await member(hub)
    const down = { state: 'retrying', since, reason: 'connection refused' } as const
    expect(await told(config, down)).toMatchObject({
      state: 'failed',
      seen: `It is down since ${localTime(since)}, though the way is open: connection refused`,
    })
    expect(await told(config, { state: 'connecting', since })).toMatchObject({ state: 'warning' })
    expect(await told(config, undefined)).toMatchObject({ state: 'skipped' })
    const blocked = { ...config, hub: await inBetween(hub.hub.port) }
    expect(await told(blocked, down)).toMatchObject({
      state: 'skipped',
      seen: 'Not looked at, since no WebSocket is let through',
    })
    await hub.hub.revokeAgent(config.agentId)
    expect(await told(config, down)).toMatchObject({ state: 'skipped' })
  })
})
