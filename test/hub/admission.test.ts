import { once } from 'node:events'
import { get, type IncomingMessage } from 'node:http'
import { performance } from 'node:perf_hooks'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { HubLink } from '../../src/agent/hub-link.ts'
import { Admission } from '../../src/hub/admission.ts'
import { HUB_HEADER } from '../../src/tunnel/handshake.ts'
import { SUBPROTOCOL } from '../../src/tunnel/limits.ts'
import { upgradeHeaders } from '../../src/websocket/handshake.ts'
import { hubInProcess, member } from '../fixtures/hub-in-process.ts'

/** A check that goes on until it is told its outcome. */
function pendingCheck() {
  const { promise, resolve, reject } = Promise.withResolvers<string>()
  const run = vi.fn(() => promise)
  return { run, resolve, reject }
}

const busy = expect.objectContaining({ status: 503, reason: 'too_many', retryAfter: 5 })

describe('an admission', () => {
  test('checks so many at once, has so many wait, and refuses the rest at once', async () => {
    const admission = new Admission({ atOnce: 2, waiting: 1 })
    const checks = [pendingCheck(), pendingCheck(), pendingCheck()]
    const [first, second, third] = checks.map(({ run }) => admission.check(run))
    await expect(admission.check(async () => 'fourth')).rejects.toEqual(busy)
    expect(checks.map(({ run }) => run.mock.calls.length)).toEqual([1, 1, 0])
    checks[0]!.resolve('first')
    expect(await first).toBe('first')
    await vi.waitFor(() => expect(checks[2]!.run).toHaveBeenCalledOnce())
    checks[1]!.resolve('second')
    checks[2]!.resolve('third')
    expect([await second, await third]).toEqual(['second', 'third'])
  })

  test('goes on after a check that fails, as after any other', async () => {
    const admission = new Admission({ atOnce: 1, waiting: 1 })
    for (let turn = 0; turn < 3; turn++) {
      const failing = pendingCheck()
      const failed = admission.check(failing.run)
      const next = admission.check(async () => 'next')
      failing.reject(new Error('no'))
      await expect(failed).rejects.toThrow('no')
      expect(await next).toBe('next')
    }
  })

  test('does not check whoever has waited so long that it has given up', async () => {
    const admission = new Admission({ atOnce: 1, waiting: 1 })
    const slow = pendingCheck()
    const late = pendingCheck()
    const now = vi.spyOn(performance, 'now')
    onTestFinished(() => now.mockRestore())
    now.mockReturnValue(0)
    const [first, second] = [admission.check(slow.run), admission.check(late.run)]
    now.mockReturnValue(5001)
    slow.resolve('slow')
    expect(await first).toBe('slow')
    await expect(second).rejects.toEqual(busy)
    expect(late.run).not.toHaveBeenCalled()
    expect(await admission.check(async () => 'next')).toBe('next')
  })
})

test('a hub that too many come to at once says when to come back', async () => {
  const hub = await hubInProcess(undefined, { admission: { atOnce: 0, waiting: 0 } })
  const upgrade = upgradeHeaders(SUBPROTOCOL).headers
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
  const hub = await hubInProcess(undefined, { admission: { atOnce: 1, waiting: 0 } })
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
