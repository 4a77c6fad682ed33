import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { expect, onTestFinished, test } from 'vitest'
import { requireConfig } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { DEAD_AFTER_PING_MS } from '../../src/tunnel/protocol/limits.ts'
import { linked } from '../fixtures/hub/hub-in-process.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connectOk, startConnect } from '../helpers/cli.ts'
import { start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

/** Handshakes that are under way at any time: they cost the strangers next to nothing. */
const AT_ONCE = 2000
const FLOOD_MS = 4000

labSuite('strangers who begin TLS handshakes without end', {}, () => {
  test('cost a member neither its link nor much time, and keep no other one out', async () => {
    const hubHome = emptyHome('hub')
    const hub = startConnect(hubHome, ['hub', '--listen', '[::]:0'])
    onTestFinished(() => hub.stop())
    const [, port = ''] = await hub.printed(/listening on https:\/\/\[::\]:(\d+)\n/)
    const home = emptyHome('member')
    const authority = hubHome.file('hub/tls/authority.pem')
    const env = { PRIVATECONNECT_TOKEN: (await connectOk(hubHome, ['hub', 'token', 'create'])).trim() }
    await connectOk(home, ['login', '--hub', `https://localhost:${port}`, '--ca', authority], { env })
    const config = requireConfig(instanceFor(undefined, home.folder))
    const { link, ended } = await linked(config)
    let isEnded = false
    void ended.finally(() => (isEnded = true)).catch(() => {})

    const program = path.join(import.meta.dirname, 'fixtures', 'handshake-flood.ts')
    const flood = start(process.execPath, [program, port, String(AT_ONCE)])
    onTestFinished(() => flood.stop())
    await flood.printed(/ answered\n/)
    const waits: number[] = []
    const timed = async (work: () => Promise<unknown>) => {
      const began = performance.now()
      await work()
      return performance.now() - began
    }
    for (const until = performance.now() + FLOOD_MS; performance.now() < until;)
      waits.push(await timed(() => link.offer([])))
    const joiningMs = await timed(() => linked(config))
    const [longest, median] = [Math.max(...waits), waits.toSorted((a, b) => a - b)[waits.length >> 1]!]
    const answered = flood.stdout.trimEnd().split('\n').at(-1)
    console.log(
      `asked ${waits.length} times: ${median.toFixed(0)} ms, ${longest.toFixed(0)} ms at the most; ` +
        `a new link took ${joiningMs.toFixed(0)} ms; of the strangers' handshakes ${answered}`,
    )
    expect(isEnded).toBe(false)
    expect(longest).toBeLessThan(DEAD_AFTER_PING_MS)
    expect(hub.output).not.toContain('[x]')
  })
})
