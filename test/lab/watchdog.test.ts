import { readFileSync } from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { joined } from '../fixtures/joined.ts'
import { connectOk } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

const blocker = pathToFileURL(
  path.join(import.meta.dirname, '..', 'fixtures', 'programs', 'block-on-sigusr2.mjs'),
)

test('a daemon whose event loop is blocked ends after 30 s; the log and status say why', async () => {
  const home = await joined(world)
  const env = { NODE_OPTIONS: `--import ${blocker.href}` }
  const { pid } = JSON.parse(await connectOk(home, ['daemon', 'start', '--json'], { env })) as { pid: number }
  const before = performance.now()
  process.kill(pid, 'SIGUSR2')
  expect(await waitFor(() => (identify(pid) ? undefined : true), { timeoutMs: 90_000 })).toBe(true)
  expect(performance.now() - before).toBeGreaterThan(25_000)
  expect(readFileSync(home.file('daemon.log'), 'utf8')).toContain('[x] The event loop was blocked for 30 s')
  const status = JSON.parse(await connectOk(home, ['daemon', 'status', '--json'])) as unknown
  expect(status).toMatchObject({
    status: 'stopped',
    cleanedUpStalePid: true,
    lastExit: { signal: 'SIGABRT', reason: expect.stringContaining('event loop was blocked') as string },
  })
  await connectOk(home, ['daemon', 'start'])
})
