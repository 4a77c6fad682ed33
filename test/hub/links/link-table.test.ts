import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest'
import { LinkTable } from '../../../src/hub/links/link-table.ts'
import type { Registry } from '../../../src/hub/registry/registry.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { Link } from '../../../src/tunnel/link/link.ts'
import { GOAWAY_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { decode } from '../../../src/tunnel/protocol/decode.ts'
import type { Frame } from '../../../src/tunnel/protocol/frames.ts'
import { MAX_LINKS } from '../../../src/tunnel/protocol/limits.ts'
import type { TransportHandler } from '../../../src/websocket/transport.ts'
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

interface TestTable {
  readonly table: LinkTable
  /** Which links were closed, in turn. */
  readonly closed: number[]
  /** The GOAWAYs that were sent. */
  readonly goaways: Extract<Frame, { type: 'goaway' }>[]
  /** One more, of an agent of its own. */
  readonly addLink: (n: number, address?: string) => void
}

/**
 * A table of so many links, each of an agent of its own.
 *
 * @param note called when the n-th is looked at
 * @param answers whether peers close their end, too
 */
function tableOf(many: number, note: (n: number) => void = () => {}, answers = false): TestTable {
  const closed: number[] = []
  const goaways: TestTable['goaways'] = []
  const table = new LinkTable({ seen() {} } as Partial<Registry> as Registry, { version: '0.0.0', log() {} })
  const addLink = (n: number, address?: string) => {
    const looked = () => note(n)
    const agent = {
      get id() {
        looked()
        return `agent_${n}`
      },
      workspace: 'default',
      key: { kty: 'OKP', crv: 'Ed25519', x: '' },
      label: '',
      joinedAt: 0,
      revoked: false,
    } as const
    let handler: TransportHandler | undefined
    const link = new Link({
      isOpen: true,
      unwrittenBytes: 0,
      bytesWritten: 0,
      get bytesRead() {
        looked()
        return 0
      },
      attach: (attached) => (handler = attached),
      pause() {},
      resume() {},
      send([frame]) {
        const sent = decode(frame!)
        if (sent.type === 'goaway') goaways.push(sent)
      },
      cork() {},
      uncork() {},
      close() {
        closed.push(n)
        if (answers) setImmediate(() => handler?.closed('bye'))
      },
      terminate() {},
    })
    table.add(agent, { purpose: 'link', link: 'link', epoch: 1, role: 'client' }, link, address)
  }
  for (let n = 0; n < many; n++) addLink(n)
  return { table, closed, goaways, addLink }
}

test('what comes while very many links are looked at does not wait for all of them', async () => {
  const many = 2000
  const lookedAt = new Set<number>()
  const { table } = tableOf(many, (n) => lookedAt.add(n))
  lookedAt.clear()
  table.tick()
  expect(lookedAt.size).toBeLessThan(many / 2)
  expect(await waitFor(() => lookedAt.size === many || undefined, { timeoutMs: 30_000 })).toBe(true)
})

test('who ends the links of one agent looks at no others', () => {
  const lookedAt = new Set<number>()
  const { table, closed } = tableOf(100, (n) => lookedAt.add(n))
  lookedAt.clear()
  table.close('agent_50', GOAWAY_CODES.REVOKED, 'revoked')
  expect(closed).toEqual([50])
  expect([...lookedAt].filter((n) => n !== 50)).toEqual([])
})

describe('a hub that shuts down', () => {
  test('asks a few agents to be back at once, and ten thousand over two seconds', async () => {
    for (const [many, spreadMs] of [
      [3, 0],
      [10_000, 2000],
    ] as const) {
      const { table, goaways } = tableOf(many, undefined, true)
      await table.shutdown()
      expect(goaways).toHaveLength(many)
      const times = goaways.map(({ afterMs }) => afterMs)
      const [soonest, latest] = [Math.min(...times), Math.max(...times)]
      expect(soonest).toBeGreaterThanOrEqual(500)
      expect(latest).toBeLessThanOrEqual(500 + spreadMs)
      expect(latest - soonest).toBeGreaterThanOrEqual(spreadMs * 0.9)
    }
  })

  test('does not wait once all have closed their links', async () => {
    const { table } = tableOf(100, undefined, true)
    const asked = performance.now()
    await table.shutdown()
    expect(performance.now() - asked).toBeLessThan(150)
  })

  test('sends away who comes meanwhile, as the others', async () => {
    const { table, closed, goaways, addLink } = tableOf(1)
    const shutdown = table.shutdown()
    addLink(1)
    expect(closed).toEqual([0, 1])
    expect(goaways.at(-1)).toMatchObject({ code: GOAWAY_CODES.SHUTDOWN })
    expect(table.linkCount).toBe(1)
    await shutdown
  })
})

test('a link from an address is known by it, also where most are from others', () => {
  const { table, addLink } = tableOf(2)
  const isOutside = (address: string) => address === '192.0.2.1'
  expect(table.hasFrom(isOutside)).toBe(false)
  addLink(2, '127.0.0.1')
  expect(table.hasFrom(isOutside)).toBe(false)
  addLink(3, '192.0.2.1')
  expect(table.hasFrom(isOutside)).toBe(true)
})
