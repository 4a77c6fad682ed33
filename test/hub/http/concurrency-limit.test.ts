import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { setImmediate as turn } from 'node:timers/promises'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { HubLink } from '../../../src/hub-client/link/hub-link.ts'
import { ConcurrencyLimit } from '../../../src/hub/http/concurrency-limit.ts'
import { HUB_HEADER } from '../../../src/tunnel/protocol/handshake.ts'
import { SUBPROTOCOL } from '../../../src/tunnel/protocol/limits.ts'
import { hubInProcess, member } from '../../fixtures/hub/hub-in-process.ts'

/** Work that goes on until it is told its outcome. */
function pendingWork() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const run = vi.fn(() => promise)
  return { run, resolve, reject }
}

const busy = expect.objectContaining({
  status: 503,
  reason: 'too_many',
  message: 'Too many come at once; try again later.',
  retryAfter: 5,
})

describe('a limit of concurrent work', () => {
  test('does so many at once, has so many wait, and refuses the rest at once', async () => {
    const limit = new ConcurrencyLimit({ atOnce: 2, waiting: 1 })
    const works = [pendingWork(), pendingWork(), pendingWork()]
    const [first, second, third] = works.map(({ run }) => limit.run(run))
    await expect(limit.run(async () => 'fourth')).rejects.toEqual(busy)
    expect(works.map(({ run }) => run.mock.calls.length)).toEqual([1, 1, 0])
    works[0]!.resolve('first')
    expect(await first).toBe('first')
    await vi.waitFor(() => expect(works[2]!.run).toHaveBeenCalledOnce())
    works[1]!.resolve('second')
    works[2]!.resolve('third')
    expect([await second, await third]).toEqual(['second', 'third'])
  })

  test('does eight at once and has 1,024 wait, unless told otherwise', async () => {
    const limit = new ConcurrencyLimit()
    const { run, resolve } = pendingWork()
    const done = Array.from({ length: 8 + 1024 }, () => limit.run(run))
    await expect(limit.run(run)).rejects.toEqual(busy)
    expect(run).toHaveBeenCalledTimes(8)
    resolve('done')
    expect(new Set(await Promise.all(done))).toEqual(new Set(['done']))
    expect(run).toHaveBeenCalledTimes(8 + 1024)
  })

  test('does what need not wait, even if nothing may', async () => {
    const limit = new ConcurrencyLimit({ atOnce: 1, waiting: 0 })
    expect(await limit.run(async () => 'first')).toBe('first')
  })

  test('goes on after work that fails, as after any other', async () => {
    const limit = new ConcurrencyLimit({ atOnce: 1, waiting: 1 })
    for (let turn = 0; turn < 3; turn++) {
      const failing = pendingWork()
      const failed = limit.run(failing.run)
      const next = limit.run(async () => 'next')
      failing.reject(new Error('no'))
      await expect(failed).rejects.toThrow('no')
      expect(await next).toBe('next')
    }
  })

  test.for([
    [5000, 'does what has waited for five seconds'],
    [5001, 'does not do what has waited for longer: who asked may have given up'],
  ] as const)('%s ms: %s', async ([waited]) => {
    const limit = new ConcurrencyLimit({ atOnce: 1, waiting: 1 })
    const slow = pendingWork()
    const late = vi.fn(async () => 'late')
    const now = vi.spyOn(performance, 'now')
    onTestFinished(() => now.mockRestore())
    now.mockReturnValue(100_000)
    const [first, second] = [limit.run(slow.run), limit.run(late)]
    await turn()
    now.mockReturnValue(100_000 + waited)
    slow.resolve('slow')
    expect(await first).toBe('slow')
    if (waited > 5000) await expect(second).rejects.toEqual(busy)
    else expect(await second).toBe('late')
    expect(late).toHaveBeenCalledTimes(waited > 5000 ? 0 : 1)
    expect(await limit.run(async () => 'next')).toBe('next')
  })
})

test('a hub that too many come to at once says when to come back', async () => {
  const hub = await hubInProcess(undefined, { concurrency: { atOnce: 0, waiting: 0 } })
  const upgrade = {
    Connection: 'Upgrade',
    Upgrade: 'websocket',
    'Sec-WebSocket-Version': '13',
    'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
    'Sec-WebSocket-Protocol': SUBPROTOCOL,
  }
  for (const [path, headers] of [
    ['/v1/services', {}],
    ['/v1/link', upgrade],
  ] as const) {
    const [answer] = (await once(get(hub.url + path, { headers }), 'response')) as [IncomingMessage]
    expect(answer.statusCode, path).toBe(503)
    expect(answer.headers).toMatchObject({ 'retry-after': '5', [HUB_HEADER]: hub.hub.id })
    expect(JSON.parse(await text(answer))).toMatchObject({ error: 'too_many' })
  }
  expect((await fetch(`${hub.url}/healthz`)).status).toBe(200)
})

test('agents that are told so try again until they are in', async () => {
  const hub = await hubInProcess(undefined, { concurrency: { atOnce: 1, waiting: 0 } })
  // So many that some come in the same turn, whatever the machine does besides.
  const members = [await member(hub), await member(hub), await member(hub), await member(hub)]
  const log: string[] = []
  const links = Array.from(
    { length: 200 },
    (_, n) =>
      new HubLink({
        config: members[n % members.length]!,
        role: 'agent',
        version: '0.1.0',
        log: (line) => void log.push(line),
        onStream: () => {},
      }),
  )
  const abort = new AbortController()
  const ended = links.map((link) => link.run(abort.signal))
  onTestFinished(async () => {
    abort.abort()
    await Promise.all(ended)
  })
  expect(await Promise.all(links.map((link) => link.whenConnected(30_000)))).toEqual(links.map(() => true))
  expect(log).toContainEqual(
    expect.stringMatching(
      /^The hub refused: Too many come at once; try again later\. Reconnecting (in|at once)/,
    ),
  )
})
