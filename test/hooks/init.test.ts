import { setTimeout as sleep } from 'node:timers/promises'
import { Config } from '@oclif/core'
import { afterEach, beforeAll, describe, expect, test, vi } from 'vitest'
import init from '../../src/hooks/init.ts'
import { BackgroundPlatform } from '../../src/platforms/background/background.ts'
import { chosenFor } from '../../src/platforms/selection/chosen.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'
import { root } from '../helpers/cli.ts'

let config: Config

beforeAll(async () => {
  config = await Config.load(root)
})

/** A run of its own, of a command that plugins bring these platforms to. */
async function run(id: string, argv: string[] = [], brought: unknown[] = []): Promise<object> {
  const plugins = new Map([['plugin', { name: 'plugin', hooks: { 'connect:platforms': [{}] } }]])
  const own = Object.create(config, {
    plugins: { value: plugins },
    runHook: { value: async () => ({ successes: [{ result: brought }], failures: [] }) },
  }) as Config
  await init.call({} as never, { id, argv, config: own, context: {} as never })
  return own
}

const NONE = 'no platform was picked for this run'

afterEach(() => vi.unstubAllEnvs())

describe('the init hook', () => {
  test('has loaded the platform once it is done, however long that takes', async () => {
    vi.stubEnv('CONNECT_PLATFORM', 'slow')
    const platform = { status: async () => ({ state: 'stopped', installed: false, autostart: 'never' }) }
    const slow = {
      apiVersion: 1,
      name: 'slow',
      summary: 'a slow one',
      probe: async () => ({ available: true }),
      isInstalled: async () => false,
      load: async () => {
        await sleep(20)
        return platform
      },
    }
    const chosen = chosenFor(await run('daemon:start', [], [slow]))
    expect(chosen.description.name).toBe('slow')
    expect(await chosen.platform.status()).toMatchObject({ state: 'stopped' })
  })

  test.for([
    ['what can’t be picked', 'nonesuch', 'PLATFORM_UNKNOWN'],
    ['what can’t be loaded', 'broken', 'PLATFORM_FAILED'],
  ] as const)('keeps the error of %s for the command, and does not throw it', async ([, name, code]) => {
    vi.stubEnv('CONNECT_PLATFORM', name)
    const broken = {
      apiVersion: 1,
      name: 'broken',
      summary: 'a broken one',
      probe: async () => ({ available: true }),
      isInstalled: async () => false,
      load: async () => {
        throw new Error('no such library')
      },
    }
    const own = await run('daemon', [], [broken])
    expect(thrownBy(() => chosenFor(own))).toMatchObject({ code })
  })

  test.for([
    ['up', ['--detach'], {}],
    ['up', [], { CI: 'true' }],
  ] as const)('loads one for %s %j with %j: it hands over to a daemon', async ([id, argv, env]) => {
    for (const [name, value] of Object.entries({ CI: '', ...env })) vi.stubEnv(name, value)
    vi.stubEnv('CONNECT_PLATFORM', 'background')
    expect(chosenFor(await run(id, [...argv])).platform).toBeInstanceOf(BackgroundPlatform)
  })

  test.for([
    ['up', [], {}],
    ['up', ['--foreground'], { CI: 'true' }],
    ['up', ['--detach', '--help'], {}],
    ['daemon:stop', ['--help'], {}],
    ['login', [], {}],
  ] as const)('asks no platform for %s %j with %j', async ([id, argv, env]) => {
    for (const [name, value] of Object.entries({ CI: '', ...env })) vi.stubEnv(name, value)
    const own = await run(id, [...argv], [{ name: 'never looked at' }])
    expect(() => chosenFor(own)).toThrow(NONE)
  })
})
