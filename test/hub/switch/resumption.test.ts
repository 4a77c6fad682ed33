import { randomBytes } from 'node:crypto'
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import {
  encodeCtrl,
  encodeOpen,
  encodeOpenOk,
  encodeResume,
  encodeResumed,
  encodeRst,
} from '../../../src/tunnel/protocol/encode.ts'
import { STREAM_KEY_BYTES, type Position } from '../../../src/tunnel/protocol/frames.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import type { RawPeer } from '../../tunnel/helpers/raw-peer.ts'
import { linkId, RealHub, type Joined } from '../../tunnel/helpers/real-hub.ts'
import { encodeData } from '../../tunnel/helpers/whole-frames.ts'

let hub: RealHub
let agent: Joined
let visitor: Joined
let stranger: Joined
const peers: RawPeer[] = []

beforeAll(async () => {
  hub = await RealHub.start()
  agent = await hub.join()
  visitor = await hub.join()
  stranger = await hub.join()
  const peer = await hub.link(agent)
  await hello(peer)
  peer.send(encodeCtrl({ type: 'services', seq: 1, services: [{ name: 'web', port: 80 }] }))
  await peer.next('ctrl')
  peer.vanish()
  await peer.closed
})

afterEach(() => {
  for (const peer of peers.splice(0)) peer.vanish()
})

afterAll(() => hub.stop())

const data = Buffer.from('hello')

function position(received: number, more: Partial<Position> = {}): Position {
  return { received, consumed: 0, limit: INITIAL_WINDOW, ended: false, answered: true, ...more }
}

async function hello(peer: RawPeer): Promise<void> {
  peer.send(encodeCtrl({ type: 'hello', version: '0.0.0', label: 'test' }))
  expect(await peer.next('ctrl')).toMatchObject({ message: { type: 'welcome' } })
}

async function linked(who: Joined, link: string, epoch: number): Promise<RawPeer> {
  const peer = await hub.link(who, { link, epoch, role: who === agent ? 'agent' : 'client' })
  peers.push(peer)
  return peer
}

interface Opened {
  readonly key: Buffer
  readonly opener: RawPeer
  readonly acceptor: RawPeer
  readonly openerLink: string
  readonly acceptorLink: string
  readonly far: number
}

/** A stream from the visitor to the agent, as number 1 there. */
async function opened(): Promise<Opened> {
  const key = randomBytes(STREAM_KEY_BYTES)
  const [openerLink, acceptorLink] = [linkId(), linkId()]
  const [opener, acceptor] = [await linked(visitor, openerLink, 1), await linked(agent, acceptorLink, 1)]
  await hello(opener)
  await hello(acceptor)
  opener.send(encodeOpen(1, key, INITIAL_WINDOW, 'web'))
  const { stream: far } = await acceptor.next('open')
  acceptor.send(encodeOpenOk(far, INITIAL_WINDOW))
  await opener.next('openOk')
  return { key, opener, acceptor, openerLink, acceptorLink, far }
}

/**
 * The opener of stream 1 is sent back to its beginning, and the acceptor gets it from there. @returns its
 * number there
 */
async function startsAnew(key: Buffer, opener: RawPeer, acceptor: RawPeer): Promise<number> {
  const beginning = position(0, { answered: false })
  expect(await opener.next('resume')).toMatchObject({ stream: 1, key, position: beginning })
  opener.send(encodeResumed(1, position(0, { limit: 300_000, answered: false })), encodeData(1, data))
  const { stream } = await acceptor.next('open')
  expect(await acceptor.next('data')).toEqual({ type: 'data', stream, payload: data })
  return stream
}

test('an end that comes back is joined to the other one, which first says where it stands', async () => {
  const { key, acceptor, openerLink, far } = await opened()
  const again = await linked(visitor, openerLink, 2)
  again.send(encodeResume(7, key, position(3), 'web'))
  expect(await acceptor.next('resume')).toEqual({
    type: 'resume',
    stream: far,
    key,
    position: position(3),
    service: 'web',
    from: visitor.agentId,
    hops: 0,
  })
  // What it sent before it knew is sent again.
  acceptor.send(encodeData(far, Buffer.from('old')), encodeResumed(far, position(9)), encodeData(far, data))
  expect(await again.next('resumed')).toEqual({ type: 'resumed', stream: 7, position: position(9) })
  expect(await again.next('data')).toEqual({ type: 'data', stream: 7, payload: data })
  again.send(encodeData(7, data))
  expect(await acceptor.next('data')).toEqual({ type: 'data', stream: far, payload: data })
  expect(again.count('data')).toBe(1)
})

test('two ends that come back are told of each other', async () => {
  const { key, openerLink, acceptorLink, opener } = await opened()
  opener.vanish()
  const acceptor = await linked(agent, acceptorLink, 2)
  acceptor.send(encodeResume(1, key, position(5), 'web', { from: visitor.agentId }))
  await acceptor.settled()
  expect(acceptor.count('resumed')).toBe(0)
  const again = await linked(visitor, openerLink, 2)
  again.send(encodeResume(3, key, position(6), 'web'))
  expect(await acceptor.next('resumed')).toMatchObject({ stream: 1, position: { received: 6 } })
  expect(await again.next('resumed')).toMatchObject({ stream: 3, position: { received: 5 } })
})

test('two ends that were on one link come back on the next one', async () => {
  const [link, key] = [linkId(), randomBytes(STREAM_KEY_BYTES)]
  const itself = await linked(agent, link, 1)
  await hello(itself)
  itself.send(encodeOpen(1, key, INITIAL_WINDOW, 'web'))
  const { stream: far } = await itself.next('open')
  itself.send(encodeOpenOk(far, INITIAL_WINDOW))
  await itself.next('openOk')
  itself.vanish()
  await itself.closed
  const again = await linked(agent, link, 2)
  again.send(encodeResume(1, key, position(5), 'web'))
  again.send(encodeResume(3, key, position(6), 'web', { from: agent.agentId }))
  await hello(again)
  const told = [await again.next('resumed'), await again.next('resumed')]
  expect(new Map(told.map(({ stream, position: { received } }) => [stream, received]))).toEqual(
    new Map([
      [1, 6],
      [3, 5],
    ]),
  )
  again.send(encodeData(1, data))
  expect(await again.next('data')).toMatchObject({ stream: 3 })
  expect(again.count('rst')).toBe(0)
})

test('ends of a stream that the hub knows nothing of are joined by its key', async () => {
  const key = randomBytes(STREAM_KEY_BYTES)
  const [opener, acceptor] = [await linked(visitor, linkId(), 1), await linked(agent, linkId(), 1)]
  opener.send(encodeResume(1, key, position(5), 'web'))
  acceptor.send(encodeResume(1, key, position(6), 'web', { from: visitor.agentId }))
  expect(await opener.next('resumed')).toMatchObject({ position: { received: 6 } })
  expect(await acceptor.next('resumed')).toMatchObject({ position: { received: 5 } })
  opener.send(encodeData(1, data))
  expect(await acceptor.next('data')).toEqual({ type: 'data', stream: 1, payload: data })
})

test('an end that is lost hears what became of its stream meanwhile', async () => {
  const { key, opener, acceptor, openerLink, far } = await opened()
  opener.vanish()
  await opener.closed
  const again = await linked(visitor, openerLink, 2)
  acceptor.send(encodeRst(far, STREAM_CODES.PEER_RESET, 'gone'))
  await acceptor.settled()
  again.send(encodeResume(1, key, position(0), 'web'))
  expect(await again.next('rst')).toEqual({ type: 'rst', stream: 1, code: 1, message: 'gone' })
})

test('nobody else gets a stream whose key he knows, be it another agent or another process of the same', async () => {
  const { key, opener, acceptor, openerLink, far } = await opened()
  const others: [Joined, string][] = [
    [stranger, ''],
    [stranger, visitor.agentId],
    [visitor, ''],
    [agent, visitor.agentId],
  ]
  const tryAll = async () => {
    for (const [who, from] of others) {
      const thief = await linked(who, linkId(), 1)
      thief.send(encodeResume(1, key, position(0), 'web', { from }))
      expect(await thief.next('rst')).toMatchObject({ code: STREAM_CODES.STREAM_UNKNOWN })
    }
  }
  // While its link is up, and while it waits for another one.
  await tryAll()
  opener.send(encodeData(1, data))
  expect(await acceptor.next('data')).toMatchObject({ stream: far })
  opener.vanish()
  await opener.closed
  await tryAll()
  const again = await linked(visitor, openerLink, 2)
  again.send(encodeResume(1, key, position(0), 'web'))
  expect(await acceptor.next('resume')).toMatchObject({ stream: far })
})

test('to a hub that was restarted nobody comes as an end that he is not', async () => {
  const key = randomBytes(STREAM_KEY_BYTES)
  const opener = await linked(visitor, linkId(), 1)
  opener.send(encodeResume(1, key, position(5), 'web'))
  await opener.settled()
  // A stranger who offers nothing, and the right agent about another opener's stream.
  const thief = await linked(stranger, linkId(), 1)
  thief.send(encodeResume(1, key, position(5), 'web', { from: stranger.agentId }))
  expect(await thief.next('rst')).toMatchObject({ code: STREAM_CODES.STREAM_UNKNOWN })
  const wrong = await linked(agent, linkId(), 1)
  wrong.send(encodeResume(1, key, position(5), 'web', { from: stranger.agentId }))
  expect(await wrong.next('rst')).toMatchObject({ code: STREAM_CODES.STREAM_UNKNOWN })
  expect(opener.count('rst')).toBe(0)
})

test('who does not offer the service is no end of a stream to it', async () => {
  const key = randomBytes(STREAM_KEY_BYTES)
  const [opener, thief] = [await linked(visitor, linkId(), 1), await linked(stranger, linkId(), 1)]
  opener.send(encodeResume(1, key, position(5), 'web'))
  thief.send(encodeResume(1, key, position(5), 'web', { from: visitor.agentId }))
  expect(await thief.next('rst')).toMatchObject({ code: STREAM_CODES.SERVICE_UNKNOWN })
  expect(await opener.next('rst')).toMatchObject({ code: STREAM_CODES.SERVICE_UNKNOWN })
})

test('an OPEN with the key of another stream is refused', async () => {
  const { key, opener } = await opened()
  const other = await linked(stranger, linkId(), 1)
  other.send(encodeOpen(1, key, INITIAL_WINDOW, 'web'))
  expect(await other.next('openErr')).toMatchObject({ code: STREAM_CODES.PROTOCOL })
  await opener.settled()
  expect(opener.count('rst')).toBe(0)
})

test('an OPEN that was lost with the service’s link is sent again, from the beginning', async () => {
  const key = randomBytes(STREAM_KEY_BYTES)
  const acceptorLink = linkId()
  const [opener, acceptor] = [await linked(visitor, linkId(), 1), await linked(agent, acceptorLink, 1)]
  await hello(acceptor)
  opener.send(encodeOpen(1, key, 300_000, 'web', { hops: 3 }), encodeData(1, data))
  await acceptor.next('data')
  const again = await linked(agent, acceptorLink, 2)
  await hello(again)
  const stream = await startsAnew(key, opener, again)
  again.send(encodeOpenOk(stream, INITIAL_WINDOW))
  expect(await opener.next('openOk')).toMatchObject({ stream: 1 })
  expect(again.heard).toContainEqual(expect.objectContaining({ type: 'open', hops: 3 }))
})

test('a hub that was restarted opens the service a stream that it knows by RESUME alone, and tells of its hops', async () => {
  const key = randomBytes(STREAM_KEY_BYTES)
  const opener = await linked(visitor, linkId(), 1)
  opener.send(encodeResume(1, key, position(0, { answered: false }), 'web', { hops: 5 }))
  await opener.settled()
  const acceptor = await linked(agent, linkId(), 1)
  await hello(acceptor)
  expect(await acceptor.next('open')).toMatchObject({ key, hops: 5 })
  await opener.next('resumed')
})

async function offer(peer: RawPeer, seq: number, names: readonly string[]): Promise<void> {
  peer.send(encodeCtrl({ type: 'services', seq, services: names.map((name) => ({ name, port: 80 })) }))
  expect(await peer.next('ctrl')).toMatchObject({ message: { seq, refused: [] } })
}

test.for(['OPEN', 'RESUME, to a hub that was restarted'])(
  'a stream that names an agent is never opened at another, which has its service by now: by %s',
  async (by) => {
    const acceptorLink = linkId()
    const [opener, acceptor] = [await linked(visitor, linkId(), 1), await linked(agent, acceptorLink, 1)]
    await hello(acceptor)
    const key = randomBytes(STREAM_KEY_BYTES)
    const unanswered = position(0, { answered: false })
    if (by === 'OPEN') {
      opener.send(
        encodeOpen(1, key, INITIAL_WINDOW, 'web', { from: agent.agentId, named: true }),
        encodeData(1, data),
      )
      await acceptor.next('data')
      acceptor.vanish()
      await acceptor.closed
    } else {
      opener.send(encodeResume(1, key, unanswered, 'web', { from: agent.agentId, named: true }))
      acceptor.vanish()
      await acceptor.closed
    }
    await opener.settled()
    // It is back on another link, and gives the name up before it has said which streams it has.
    const again = await linked(agent, acceptorLink, 2)
    await offer(again, 1, [])
    const other = await hub.link(stranger, { role: 'agent' })
    peers.push(other)
    await hello(other)
    await offer(other, 1, ['web'])
    await hello(again)
    expect(await opener.next('openErr')).toMatchObject({ stream: 1, code: STREAM_CODES.OTHER_AGENT })
    await other.settled()
    expect(other.count('open')).toBe(0)
    expect(other.count('data')).toBe(0)
    await offer(other, 2, [])
    await offer(again, 2, ['web'])
  },
)

test('a stream to a service that no agent has yet is opened at the one that says it has', async () => {
  const [opener, acceptor] = [await linked(visitor, linkId(), 1), await linked(agent, linkId(), 1)]
  await hello(acceptor)
  const key = randomBytes(STREAM_KEY_BYTES)
  opener.send(encodeResume(1, key, position(0, { answered: false }), 'late'))
  await opener.settled()
  const services = ['web', 'late'].map((name) => ({ name, port: 80 }))
  acceptor.send(encodeCtrl({ type: 'services', seq: 2, services }))
  expect(await acceptor.next('open')).toMatchObject({ key, service: 'late' })
})

test('a stream to an agent whose link was lost a moment ago waits for it', async () => {
  const acceptor = await linked(agent, linkId(), 1)
  await hello(acceptor)
  acceptor.vanish()
  await acceptor.closed
  const [opener, key] = [await linked(visitor, linkId(), 1), randomBytes(STREAM_KEY_BYTES)]
  opener.send(encodeOpen(1, key, 300_000, 'web'), encodeData(1, data))
  await opener.settled()
  const again = await linked(agent, linkId(), 1)
  await hello(again)
  await startsAnew(key, opener, again)
  expect(opener.count('openErr')).toBe(0)
})

test('an agent that was started anew ends the streams of its predecessor, which has left without a word', async () => {
  const [first, second] = [await opened(), await opened()]
  first.acceptor.vanish()
  await first.acceptor.closed
  await hello(await linked(agent, linkId(), 1))
  expect(await first.opener.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.STREAM_UNKNOWN })
  // One whose link is up is let alone.
  second.opener.send(encodeData(1, data))
  expect(await second.acceptor.next('data')).toMatchObject({ stream: second.far })
  expect(second.opener.count('rst')).toBe(0)
})

test('it ends those that its predecessor has opened, too, and leaves those of a reach beside it alone', async () => {
  const acceptor = await linked(agent, linkId(), 1)
  await hello(acceptor)
  const openers = [
    await hub.link(visitor, { role: 'agent' }),
    await hub.link(visitor, { role: 'client' }),
  ] as const
  peers.push(...openers)
  const far: number[] = []
  for (const opener of openers) {
    opener.send(encodeOpen(1, randomBytes(STREAM_KEY_BYTES), INITIAL_WINDOW, 'web'))
    const { stream } = await acceptor.next('open')
    acceptor.send(encodeOpenOk(stream, INITIAL_WINDOW))
    await opener.next('openOk')
    far.push(stream)
    opener.vanish()
    await opener.closed
  }
  const successor = await hub.link(visitor, { role: 'agent' })
  peers.push(successor)
  await hello(successor)
  expect(await acceptor.next('rst')).toMatchObject({ stream: far[0], code: STREAM_CODES.STREAM_UNKNOWN })
  await acceptor.settled()
  expect(acceptor.count('rst')).toBe(1)
})

test('a RESUMED that nobody asked for resets its stream only', async () => {
  const [first, second] = [await opened(), await opened()]
  first.opener.send(encodeResumed(1, position(0)))
  expect(await first.opener.next('rst')).toMatchObject({ stream: 1, code: STREAM_CODES.PROTOCOL })
  expect(await first.acceptor.next('rst')).toMatchObject({ code: STREAM_CODES.PROTOCOL })
  second.opener.send(encodeData(1, data))
  expect(await second.acceptor.next('data')).toMatchObject({ stream: second.far })
})
