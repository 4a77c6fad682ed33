import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import type { PlatformDescription } from '../../../src/platforms/platform.ts'
import { selectPlatform } from '../../../src/platforms/selection/select.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

interface Wish {
  readonly forced?: string
  readonly purpose?: 'install' | 'use'
  readonly platforms?: unknown[]
  readonly warnings?: string[]
  readonly pluginTimeoutMs?: number
}

function select({ forced, purpose = 'use', platforms = [], warnings = [], ...more }: Wish) {
  return selectPlatform({
    ...more,
    context: {
      instance: instanceFor(path.resolve('staging.json')),
      env: forced === undefined ? {} : { CONNECT_PLATFORM: forced },
    },
    purpose,
    plugins: async () => ({ platforms, warnings }),
  })
}

/** A platform as a plugin describes it. */
function described(name: string, more: Partial<PlatformDescription> = {}): PlatformDescription {
  return {
    apiVersion: 2,
    name,
    summary: `kept alive by ${name}`,
    probe: async () => ({ available: true }),
    isInstalled: async () => false,
    load: async () => {
      throw new Error('only the one that is picked is loaded, by whoever needs it')
    },
    ...more,
  }
}

describe('the platform is', () => {
  test('background where nothing else is installed', async () => {
    expect((await select({ platforms: [described('openrc')] })).description.name).toBe('background')
  })

  test('the one on which the daemon is installed', async () => {
    const platforms = [described('runit'), described('openrc', { isInstalled: async () => true })]
    for (const purpose of ['use', 'install'] as const) {
      expect((await select({ platforms, purpose })).description.name).toBe('openrc')
    }
  })

  test('for an installation the first that is available, and it is said why others are not', async () => {
    const reason = 'rc-service is not on PATH'
    const openrc = described('openrc', { probe: async () => ({ available: false, reason }) })
    const none = await select({ purpose: 'install', platforms: [openrc] })
    expect(none.reasons).toContain(`openrc: ${reason}`)
    expect(none.reasons.join()).not.toContain('background')
    const some = await select({ purpose: 'install', platforms: [openrc, described('runit')] })
    expect(['runit', 'systemd', 'launchd']).toContain(some.description.name)
  })

  test('the one that CONNECT_PLATFORM names', async () => {
    const platforms = [described('openrc', { isInstalled: async () => true }), described('runit')]
    expect((await select({ forced: 'background', platforms })).description.name).toBe('background')
    expect((await select({ forced: 'runit', platforms })).description.name).toBe('runit')
  })
})

test('an unknown name is an error that says so', async () => {
  const error = await rejectionOf(select({ forced: 'openrc' }))
  expect(error.code).toBe('PLATFORM_UNKNOWN')
  expect(error.message).toBe('There is no platform "openrc"')
})

describe('a plugin that does not answer properly is a warning:', () => {
  test('a failure', async () => {
    const warnings = ['Plugin openrc failed: no such file']
    expect(await select({ warnings })).toMatchObject({ warnings, description: { name: 'background' } })
  })

  test.for([
    ['nothing', undefined],
    ['text', 'openrc'],
    ['an empty object', {}],
    ['a platform of another version', { ...described('openrc'), apiVersion: 3 }],
    ['a platform without a name', { ...described('openrc'), name: undefined }],
    ['a name that is no name', described('../openrc')],
    ['a platform without a probe', { ...described('openrc'), probe: true }],
    ['a list with a hole', [null]],
  ] as const)('%s', async ([, answer]) => {
    const { description, warnings } = await select({
      platforms: [answer, described('runit')],
      purpose: 'use',
    })
    expect(description.name).toBe('background')
    expect(warnings).toEqual([expect.stringMatching(/^A plugin’s platform is not usable: \S/)])
    // The others are still there.
    expect(
      (await select({ platforms: [answer, described('runit')], forced: 'runit' })).description.name,
    ).toBe('runit')
  })

  test('a name that is taken; the first keeps it', async () => {
    const late = described('background', { isInstalled: async () => true })
    const { description, warnings } = await select({ platforms: [late] })
    expect(description.summary).toContain('a background process')
    expect(warnings).toEqual(['Two platforms are called "background"; the first is used'])
  })

  const fail = async () => {
    throw new Error('rc-service crashed')
  }
  test.for([
    ['isInstalled', 'use'],
    ['probe', 'install'],
  ] as const)('one whose %s throws', async ([method, purpose]) => {
    const platforms = [described('openrc', { [method]: fail })]
    const { description, reasons, warnings } = await select({ platforms, purpose })
    expect(description.name).not.toBe('openrc')
    expect(warnings).toEqual(['Platform openrc failed: rc-service crashed'])
    if (purpose === 'install') expect(reasons).toContain('openrc: rc-service crashed')
  })
})

describe('an answer of the wrong shape is a warning and a no:', () => {
  test.for([
    ['isInstalled', 'yes', 'use'],
    ['isInstalled', undefined, 'use'],
    ['probe', undefined, 'install'],
    ['probe', true, 'install'],
    ['probe', { available: false }, 'install'],
    ['probe', { available: false, reason: '' }, 'install'],
  ] as const)('%s gives %j', async ([method, answer, purpose]) => {
    const platforms = [described('openrc', { [method]: async () => answer })]
    const { description, reasons, warnings } = await select({ platforms, purpose })
    expect(description.name).not.toBe('openrc')
    expect(warnings).toEqual([expect.stringMatching(/^Platform openrc failed: Invalid \S.*$/)])
    if (purpose === 'install') expect(reasons).toContainEqual(expect.stringMatching(/^openrc: Invalid /))
  })
})

test('several platforms of one plugin are all there', async () => {
  const platforms = [[described('openrc'), described('runit')]]
  expect((await select({ platforms, forced: 'runit' })).description.name).toBe('runit')
})
