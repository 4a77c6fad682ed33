import { mkdirSync } from 'node:fs'
import { expect, onTestFinished, test } from 'vitest'
import { instanceFor } from '../../src/config/instance.ts'
import { login } from '../../src/hub-client/login.ts'
import { hubInProcess, joinToken } from '../fixtures/hub/hub-in-process.ts'
import { faultsAtStart, type Start } from '../helpers/faults/starts.ts'
import { makeHome, type Home } from '../helpers/home.ts'

const STARTS: Record<string, (home: Home) => Start> = {
  'a kept-alive agent': (home) => ({
    home,
    args: ['up'],
    env: { CONNECT_DAEMON: '1' },
    isUp: /Connected to hub/,
    logFile: home.file('daemon.log'),
  }),
  'an agent in the foreground': (home) => ({ home, args: ['up'], isUp: /Connected to hub/ }),
  'a hub': (home) => ({
    home,
    args: ['hub', '--listen', '127.0.0.1:0', '--data-dir', home.file('hub')],
    isUp: /listening on/,
  }),
}

// As in faults.test.ts, which looks at what runs already.
test.for(Object.keys(STARTS))(
  '%s that can’t be started for such a call says so in a sentence',
  { timeout: 900_000 },
  async (name) => {
    const hub = await hubInProcess()
    const home = makeHome('start')
    onTestFinished(() => home.remove())
    mkdirSync(home.file('.'), { recursive: true, mode: 0o700 })
    const token = await joinToken(hub.folder)
    const options = { hub: hub.url, insecure: false, label: 'a', token }
    await login(instanceFor(undefined, home.folder), options)
    const { count, wrong } = await faultsAtStart(STARTS[name]!(home), { every: 3 })
    expect(wrong).toEqual([])
    expect(count).toBeGreaterThan(20)
  },
)
