import { afterAll, afterEach, beforeAll, expect, test } from 'vitest'
import { encodeCtrl } from '../../../src/tunnel/protocol/encode.ts'
import { MAX_LINKS } from '../../../src/tunnel/protocol/limits.ts'
import type { RawPeer } from '../../tunnel/helpers/raw-peer.ts'
import { linkId, RealHub } from '../../tunnel/helpers/real-hub.ts'

let hub: RealHub
const peers: RawPeer[] = []

beforeAll(async () => {
  hub = await RealHub.start()
})

afterEach(() => {
  for (const peer of peers.splice(0)) peer.vanish()
})

afterAll(() => hub.stop())

test('a second hello ends the link', async () => {
  const peer = await hub.link(await hub.join(), { epoch: 1, role: 'client' })
  peers.push(peer)
  const hello = encodeCtrl({ type: 'hello', version: '0.0.0', label: 'test' })
  peer.send(hello)
  expect(await peer.next('ctrl')).toMatchObject({ message: { type: 'welcome' } })
  peer.send(hello)
  expect(await peer.next('goaway')).toMatchObject({ message: 'a second hello' })
})

test('an agent has 64 links, and the next is refused; one that comes back is not the next', async () => {
  const [many, other] = [await hub.join(), await hub.join()]
  const links = Array.from({ length: MAX_LINKS }, () => linkId())
  for (const link of links) peers.push(await hub.link(many, { link, epoch: 1, role: 'client' }))
  const claims = { purpose: 'link', link: linkId(), epoch: 1, role: 'client' }
  const asked = performance.now()
  expect(await hub.dial(await many.signer.sign(claims, await hub.nonce()))).toMatchObject({
    status: 429,
    error: 'too_many',
  })
  // So that asking again at once is no faster than that.
  expect(performance.now() - asked).toBeGreaterThan(900)
  peers.push(await hub.link(many, { link: links[0]!, epoch: 2, role: 'client' }))
  peers.push(await hub.link(other, { epoch: 1, role: 'client' }))
})
