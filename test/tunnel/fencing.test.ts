import { randomBytes } from 'node:crypto'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { GOAWAY_CODES, STREAM_CODES } from '../../src/tunnel/protocol/codes.ts'
import { encodeCtrl, encodeGoaway, encodeOpen, encodeOpenOk } from '../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES } from '../../src/tunnel/protocol/frames.ts'
import { INITIAL_WINDOW } from '../../src/tunnel/protocol/window-size.ts'
import type { RawPeer } from './helpers/raw-peer.ts'
import { linkId, RealHub, type Joined } from './helpers/real-hub.ts'
import { encodeData } from './helpers/whole-frames.ts'

let hub: RealHub
let agent: Joined
let visitor: Joined

beforeAll(async () => {
  hub = await RealHub.start()
  agent = await hub.join()
  visitor = await hub.join()
})

afterAll(() => hub.stop())

function claims(link: string, epoch: number): Record<string, string | number> {
  return { purpose: 'link', link, epoch, role: 'agent' }
}

function open(stream: number, service: string): Buffer {
  return encodeOpen(stream, randomBytes(STREAM_KEY_BYTES), INITIAL_WINDOW, service)
}

/** Says hello, and offers one service. */
async function offer(peer: RawPeer, service: string, { id } = hub): Promise<void> {
  peer.send(encodeCtrl({ type: 'hello', version: '0.0.0', label: 'test' }))
  expect(await peer.next('ctrl')).toMatchObject({ message: { type: 'welcome', hub: id } })
  peer.send(encodeCtrl({ type: 'services', seq: 7, services: [{ name: service, port: 80 }] }))
  expect(await peer.next('ctrl')).toEqual({
    type: 'ctrl',
    message: { type: 'services', seq: 7, refused: [] },
  })
}

test('a link that comes back with a higher epoch replaces its older connection at once', async () => {
  const link = linkId()
  const older = await hub.link(agent, { link, epoch: 5 })
  const newer = await hub.link(agent, { link, epoch: 6 })
  expect(await older.next('goaway')).toMatchObject({ code: GOAWAY_CODES.REPLACED, afterMs: 0 })
  await older.closed
  await newer.settled()
  expect(newer.count('goaway')).toBe(0)
})

test.each([
  ['an older', 9],
  ['the same', 10],
])('%s epoch of a link that is up is refused, and the link left alone', async (_name, epoch) => {
  const link = linkId()
  const present = await hub.link(agent, { link, epoch: 10 })
  expect(await hub.dial(await agent.signer.sign(claims(link, epoch), await hub.nonce()))).toMatchObject({
    status: 409,
    error: 'superseded',
  })
  await present.settled()
  expect(present.count('goaway')).toBe(0)
})

test('another link of the same agent, and the same link id of another agent, are left alone', async () => {
  const link = linkId()
  const first = await hub.link(agent, { link, epoch: 10 })
  const second = await hub.link(agent, { epoch: 1 })
  const others = await hub.link(visitor, { link, epoch: 1 })
  for (const peer of [first, second, others]) {
    await peer.settled()
    expect(peer.count('goaway')).toBe(0)
  }
})

test('streams go to the newer connection, and those of the older that it does not come back for are reset', async () => {
  const link = linkId()
  const older = await hub.link(agent, { link, epoch: 1 })
  await offer(older, 'fenced')
  const client = await hub.link(visitor, { role: 'client' })
  client.send(open(1, 'fenced'))
  older.send(encodeOpenOk((await older.next('open')).stream, INITIAL_WINDOW))
  await client.next('openOk')

  const newer = await hub.link(agent, { link, epoch: 2 })
  await client.settled()
  expect(client.count('rst')).toBe(0)
  newer.send(encodeCtrl({ type: 'hello', version: '0.0.0', label: 'test' }))
  client.send(open(3, 'fenced'))
  expect(await newer.next('open')).toMatchObject({ service: 'fenced', from: visitor.agentId })
  expect(await client.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.STREAM_UNKNOWN })
  await older.closed
  // What the older leaves behind as it goes must not be the newer's place.
  expect(await hub.dial(await agent.signer.sign(claims(link, 1), await hub.nonce()))).toMatchObject({
    status: 409,
  })
  client.send(open(5, 'fenced'))
  const { stream } = await newer.next('open')
  newer.send(encodeOpenOk(stream, INITIAL_WINDOW), encodeData(stream, Buffer.from('hello')))
  expect(await client.next('data')).toMatchObject({ stream: 5 })
})

test('a service nobody has, and one whose agent is not connected, are told apart', async () => {
  const hub = await RealHub.start({ openTimeoutMs: 500 })
  onTestFinished(() => hub.stop())
  const serving = await hub.link(await hub.join())
  await offer(serving, 'offline', hub)
  const client = await hub.link(await hub.join(), { role: 'client' })
  client.send(open(1, 'no-such-service'))
  expect(await client.next('openErr')).toMatchObject({ stream: 1, code: STREAM_CODES.SERVICE_UNKNOWN })
  // Whose link is lost without a word is waited for.
  serving.send(encodeGoaway(GOAWAY_CODES.SHUTDOWN, 0, 'bye'))
  await serving.settled()
  serving.vanish()
  client.send(open(3, 'offline'))
  expect(await client.next('openErr')).toMatchObject({ stream: 3, code: STREAM_CODES.AGENT_OFFLINE })
})

test('a client’s link is never asked to serve, and may not offer anything', async () => {
  const client = await hub.link(agent, { role: 'client' })
  client.send(encodeCtrl({ type: 'services', seq: 1, services: [{ name: 'mine', port: 80 }] }))
  expect(await client.next('goaway')).toMatchObject({ code: GOAWAY_CODES.PROTOCOL })
})
