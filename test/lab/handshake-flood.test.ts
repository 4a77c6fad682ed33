import { performance } from 'node:perf_hooks'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { requireConfig } from '../../src/config/config.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { linked } from '../fixtures/hub/hub-in-process.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connectOk, startConnect } from '../helpers/cli.ts'
import { start } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('strangers who begin TLS handshakes without end', {}, () => {
  test('hold up no member for long', async () => {
    const hubHome = emptyHome('hub')
    const hub = startConnect(hubHome, ['hub', '--listen', '[::]:0'])
    onTestFinished(() => hub.stop())
    const [, port = ''] = await hub.printed(/listening on https:\/\/\[::\]:(\d+)\n/)
    const home = emptyHome('member')
    const token = (await connectOk(hubHome, ['hub', 'token', 'create'])).trim()
    const login = ['login', '--hub', `https://localhost:${port}`, '--ca', hubHome.file('hub/tls/authority.pem')]
    await connectOk(home, login, { env: { PRIVATECONNECT_TOKEN: token } })
    const { link } = await linked(requireConfig(instanceFor(undefined, home.folder)))
    for (const atOnce of (process.env.AT ?? '16,256,2000').split(',')) {
      const program = path.join(import.meta.dirname, 'fixtures', 'handshake-flood.ts')
      const flood = start(process.execPath, [program, port, atOnce])
      await flood.printed(/2nd|answered\n/)
      const waits: number[] = []
      const until = performance.now() + 5000
      while (performance.now() < until) {
        const began = performance.now()
        await link.offer([])
        waits.push(performance.now() - began)
      }
      const began = performance.now()
      const other = await linked(requireConfig(instanceFor(undefined, home.folder)))
      const linkedMs = performance.now() - began
      await other.stop()
      await flood.stop()
      waits.sort((a, b) => a - b)
      console.log(atOnce, 'n', waits.length, 'p50', waits[waits.length >> 1], 'max', waits.at(-1), 'new link', linkedMs, flood.stdout.split('\n').slice(-3).join(' '))
    }
    expect(true).toBe(true)
  })
})
