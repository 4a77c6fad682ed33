import { isIP } from 'node:net'
import { describe, expect, test } from 'vitest'
import { outwardAddresses } from '../../../src/net/own-address.ts'
import type { AgentHere } from '../../../src/tasks/machine/agent-here.ts'
import type { HubHere } from '../../../src/tasks/machine/hub-here.ts'
import { nextSteps, type Starts } from '../../../src/tasks/machine/next-steps.ts'
import type { Standing } from '../../../src/tasks/machine/standing.ts'
import { unheldReach } from '../../../src/tasks/reaches/shown-reach.ts'

const NO_PROCESS = { state: 'stopped', mode: null, pid: null, reason: null } as const
const NO_HUB: HubHere = {
  ...NO_PROCESS,
  state: 'none',
  waitsFor: null,
  address: null,
  joined: null,
  online: null,
}
const AGENT: AgentHere = {
  state: 'running',
  mode: 'daemon',
  pid: 1,
  reason: null,
  connection: { state: 'connected', since: '2026-11-22T10:30:00Z', reason: null },
  drift: [],
}
const NEW: Standing = {
  hub: NO_HUB,
  loggedIn: false,
  login: null,
  agent: { ...NO_PROCESS, connection: null, drift: [] },
  exposed: [],
  reaches: [],
  offered: null,
  hubSilence: null,
  problems: [],
}
const login = { agentId: 'agent_1', label: 'db', hub: 'https://hub.example.com' }
const JOINED: Standing = { ...NEW, loggedIn: true, login, agent: AGENT, offered: [] }

const own = { name: 'web', host: 'localhost', port: 80, path: null }
const other = { name: 'pg', port: 5432, agent: 'agent_2', label: 'b', online: true }
const waiting = { ...unheldReach({ name: 'pg', port: 5432 }), reason: 'taken' }
const kept = { ...waiting, held: true, reason: null }

const START: Starts = {
  agent: async () => ({ command: 'connect daemon install', note: null }),
  hub: async () => ({ command: 'connect hub start', note: null }),
  ownHub: async () => ({ command: 'connect hub install --listen 0.0.0.0:7700', note: null }),
}

const commands = async (here: Standing) => (await nextSteps(here, START)).map(({ command }) => command)

describe('a machine that is not logged in', () => {
  test.for([
    ['knows nothing: both ways in', NO_HUB, ['connect login', 'connect hub install --listen 0.0.0.0:7700']],
    ['has a hub that is stopped', { ...NO_HUB, state: 'stopped' }, ['connect hub start']],
    [
      'has a hub that runs',
      { ...NO_HUB, state: 'running' },
      ['connect hub token create --invite | connect login --token-file -'],
    ],
    ['has a hub that can’t be told', { ...NO_HUB, state: 'unknown' }, ['connect hub status']],
  ] as const)('%s', async ([, hub, expected]) => {
    expect(await commands({ ...NEW, hub })).toEqual(expected)
  })
})

describe('a machine that is logged in', () => {
  const here = { ...login, hub: 'http://127.0.0.1:7700' }
  const stoppedHub = { ...NO_HUB, state: 'stopped', address: 'https://hub.example.com' } as const
  const retrying = { state: 'retrying', since: '', reason: 'connection refused' } as const
  test.for<[string, Partial<Standing>, string | undefined]>([
    ['has no agent', { agent: NEW.agent }, 'connect daemon install'],
    ['has no agent, and its hub here is stopped', { agent: NEW.agent, hub: stoppedHub }, 'connect hub start'],
    [
      'has its hub here on loopback, stopped',
      { agent: NEW.agent, hub: stoppedHub, login: here },
      'connect hub start',
    ],
    [
      'has another hub here that is stopped',
      { agent: NEW.agent, hub: { ...stoppedHub, address: 'https://other.example.com' } },
      'connect daemon install',
    ],
    [
      'has a stopped hub here that listens elsewhere',
      { hub: { ...stoppedHub, address: '0.0.0.0:7700' }, agent: { ...AGENT, connection: retrying } },
      'connect doctor',
    ],
    [
      'has an agent that can’t be told',
      { agent: { ...NEW.agent, state: 'unknown' } },
      'connect daemon status',
    ],
    [
      'has an agent that does not answer',
      { agent: { ...AGENT, connection: null } },
      'connect daemon restart',
    ],
    ['has an agent at another hub', { agent: { ...AGENT, drift: ['it is'] } }, 'connect daemon restart'],
    [
      'has an agent that tries another hub',
      { agent: { ...AGENT, connection: retrying, drift: ['it is'] } },
      'connect daemon restart',
    ],
    ['has an agent without its hub', { agent: { ...AGENT, connection: retrying } }, 'connect doctor'],
    ['has an agent in the foreground', { agent: { ...AGENT, mode: 'foreground' } }, 'connect daemon install'],
    [
      'has an agent in the foreground that does not answer',
      { agent: { ...AGENT, mode: 'foreground', connection: null } },
      'connect daemon install',
    ],
    ['has nothing to do', {}, 'connect expose PORT --name NAME'],
    [
      'does not know what others offer',
      { offered: null, hubSilence: 'gone' },
      'connect expose PORT --name NAME',
    ],
    ['could reach something', { offered: [other] }, 'connect reach pg'],
    ['offers something', { exposed: [own] }, 'connect reach web'],
    [
      'offers something, and has the hub',
      { exposed: [own], hub: { ...NO_HUB, state: 'running' } },
      'connect hub token create --invite',
    ],
    [
      'offers something, and has the hub, which only listens here',
      { exposed: [own], hub: { ...NO_HUB, state: 'running', address: 'https://127.0.0.1:7701' } },
      'connect hub start --listen 0.0.0.0:7701',
    ],
    [
      'offers something, and has a trial hub',
      { exposed: [own], hub: { ...NO_HUB, state: 'running', address: 'http://127.0.0.1:7700' } },
      'connect hub token create --invite',
    ],
    ['keeps a reach that fails', { reaches: [waiting], exposed: [own] }, 'connect reach'],
    ['keeps a reach', { reaches: [kept], offered: [other] }, undefined],
    ['offers and could reach something', { exposed: [own], offered: [other] }, undefined],
  ])('%s', async ([, facts, expected]) => {
    expect(await commands({ ...JOINED, ...facts })).toEqual(expected === undefined ? [] : [expected])
  })

  const [outward] = outwardAddresses().filter((address) => isIP(address) === 4)
  test.skipIf(outward === undefined)('has its hub here stopped, which listens everywhere', async () => {
    const hub = { ...NO_HUB, state: 'stopped', address: '0.0.0.0:7700' } as const
    const facts = { hub, agent: { ...AGENT, connection: retrying } }
    const joined = (url: string) => ({ ...JOINED, ...facts, login: { ...login, hub: url } })
    expect(await commands(joined(`https://${outward}:7700`))).toEqual(['connect hub start'])
    expect(await commands(joined(`https://${outward}:7701`))).toEqual(['connect doctor'])
  })

  test('has a problem, which says itself what to do', async () => {
    const problems = [{ code: 'SERVICES_DAMAGED', message: 'x', hints: ['Fix it.'] }] as const
    expect(await commands({ ...JOINED, problems })).toEqual([])
    expect(await commands({ ...NEW, problems })).toEqual([])
  })
})
