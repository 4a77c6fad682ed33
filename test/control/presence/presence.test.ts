import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { announce } from '../../../src/control/presence/announce.ts'
import { Neighbours } from '../../../src/control/presence/neighbours.ts'
import type { Presence } from '../../../src/control/presence/presence.ts'
import { identify } from '../../../src/process/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const REACH: Presence = {
  kind: 'reach',
  hubId: 'hub_0123456789abcdef',
  service: 'web',
  addresses: ['127.0.0.1'],
  port: 5432,
}
const AGENT: Presence = {
  kind: 'agent',
  hubId: 'hub_0123456789abcdef',
  agentId: 'agent_0123456789abcdef',
  socketPath: '/x/agent.sock',
  chains: false,
}

const failed = (error: unknown) => {
  throw error
}

function presentFolder(): string {
  return path.join(scratchFolder(), 'present')
}

test('what a process announces its neighbours see at once, each change of it, and its end', () => {
  const folder = presentFolder()
  const neighbours = new Neighbours(() => folder)
  expect(neighbours.reachesAt(5432)).toEqual([])
  const reach = announce(REACH, failed, () => folder)
  expect(neighbours.reachesAt(5432)).toEqual([REACH])
  expect(neighbours.reachesAt(5433)).toEqual([])
  const agent = announce(AGENT, failed, () => folder)
  expect(neighbours.agents(({ chains }) => chains)).toEqual([])
  agent.change({ ...AGENT, chains: true })
  expect(neighbours.agents(({ chains }) => chains)).toEqual([{ ...AGENT, chains: true }])
  reach.withdraw()
  agent.withdraw()
  expect(neighbours.reachesAt(5432)).toEqual([])
  expect(readdirSync(folder)).toEqual([])
})

test('one that was killed is no neighbour any more, and the next one clears its note away', async () => {
  const folder = presentFolder()
  const child = spawn(process.execPath, ['-e', 'setInterval(() => {}, 1000)'])
  const killed = identify(child.pid!)
  announce(REACH, failed, () => folder).withdraw()
  const own = announce(REACH, failed, () => folder)
  const [name] = readdirSync(folder)
  const note = JSON.parse(readFileSync(path.join(folder, name!), 'utf8')) as object
  own.withdraw()
  writeFileSync(path.join(folder, `${child.pid}-killed.json`), JSON.stringify({ ...note, ...killed }))
  const neighbours = new Neighbours(() => folder)
  expect(neighbours.reachesAt(5432)).toEqual([REACH])
  child.kill('SIGKILL')
  await once(child, 'exit')
  expect(neighbours.reachesAt(5432)).toEqual([])
  const next = announce(AGENT, failed, () => folder)
  onTestFinished(() => next.withdraw())
  expect(readdirSync(folder)).toHaveLength(1)
})

test('notes that make no sense, or belong to another network, are passed over', () => {
  const folder = presentFolder()
  const own = announce(REACH, failed, () => folder)
  const [name] = readdirSync(folder)
  const note = JSON.parse(readFileSync(path.join(folder, name!), 'utf8')) as object
  own.withdraw()
  writeFileSync(path.join(folder, 'half.json'), '{"pid":')
  writeFileSync(path.join(folder, 'newer.json'), '{"version":2}')
  writeFileSync(path.join(folder, 'elsewhere.json'), JSON.stringify({ ...note, network: 'net:[1]' }))
  expect(new Neighbours(() => folder).reachesAt(5432)).toEqual([])
})

test('a change is told where the others look by then', () => {
  const before = presentFolder()
  let folder = before
  const neighbours = new Neighbours(() => folder)
  const own = announce(AGENT, failed, () => folder)
  expect(neighbours.agents(() => true)).toHaveLength(1)
  folder = presentFolder()
  expect(neighbours.agents(() => true)).toEqual([])
  own.change(AGENT)
  expect(neighbours.agents(() => true)).toHaveLength(1)
  own.withdraw()
  expect(readdirSync(folder)).toEqual([])
})

test('by which sockets agents and hubs are controlled is told in any network', () => {
  const folder = presentFolder()
  const hub: Presence = { kind: 'hub', socketPath: '/x/hub.sock' }
  const announcements = [AGENT, hub, REACH].map((one) => announce(one, failed, () => folder))
  for (const name of readdirSync(folder)) {
    const note = JSON.parse(readFileSync(path.join(folder, name), 'utf8')) as object
    writeFileSync(path.join(folder, name), JSON.stringify({ ...note, network: 'net:[1]' }))
  }
  const sockets = new Neighbours(() => folder).controlSockets()
  expect(sockets.toSorted()).toEqual(['/x/agent.sock', '/x/hub.sock'])
  for (const announcement of announcements) announcement.withdraw()
})

test.skipIf(process.getuid?.() !== 0)('a folder of another user says nothing', async () => {
  const folder = presentFolder()
  const own = announce(REACH, failed, () => folder)
  onTestFinished(() => own.withdraw())
  const { chownSync } = await import('node:fs')
  chownSync(folder, 65_534, 65_534)
  expect(new Neighbours(() => folder).reachesAt(5432)).toEqual([])
})

test('a folder that can’t be made is told, and what was there is private', () => {
  const folder = presentFolder()
  const own = announce(REACH, failed, () => folder)
  chmodSync(folder, 0o755)
  own.change(REACH)
  own.withdraw()
  rmSync(folder, { recursive: true })
  writeFileSync(folder, 'a file')
  expect(() => announce(REACH, failed, () => folder)).toThrow(/not a folder|EEXIST|ENOTDIR/)
})
