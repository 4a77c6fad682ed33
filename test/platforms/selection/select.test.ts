import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import type { PlatformDescription } from '../../../src/platforms/platform.ts'
import { problemLine, type PluginProblem } from '../../../src/plugins/plugin-problem.ts'
import { selectPlatform } from '../../../src/platforms/selection/select.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'

interface Wish {
  /** By CONNECT_PLATFORM. */
  readonly forced?: string
  /** By --platform. */
  readonly named?: string
  readonly purpose?: 'install' | 'use'
  readonly platforms?: unknown[]
  readonly problems?: PluginProblem[]
  readonly pluginTimeoutMs?: number
}

/** @returns also what a command warns of */
async function select({ forced, purpose = 'use', platforms = [], problems = [], ...more }: Wish) {
  const selection = await selectPlatform({
    ...more,
    context: {
      instance: instanceFor(path.resolve('staging.json')),
      env: forced === undefined ? {} : { CONNECT_PLATFORM: forced },
    },
    purpose,
    plugins: async () => ({
      platforms: platforms.map((answer, at) => ({ plugin: `plugin-${at + 1}`, answer })),
      problems,
    }),
  })
  return { ...selection, warnings: selection.problems.map(problemLine) }
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

test.for([{ forced: 'openrc' }, { named: 'openrc', forced: 'background' }])(
  'an unknown name is an error that says which there are, %j',
  async (wish) => {
    const error = await rejectionOf(select({ ...wish, platforms: [described('runit')] }))
    expect(error).toMatchObject({ code: 'PLATFORM_UNKNOWN', message: 'There is no platform "openrc"' })
    const ours = process.platform === 'darwin' ? 'launchd' : 'systemd'
    expect(error.hints[0]).toBe(`Here there are: ${ours}, background, runit (of the plugin plugin-1)`)
  },
)

describe('two platforms of one name', () => {
  const two = (more: Partial<PlatformDescription> = {}) => [described('runit'), described('runit', more)]

  test.for([
    ['--platform names it', { named: 'runit', platforms: two() }],
    ['CONNECT_PLATFORM names it', { forced: 'runit', platforms: two() }],
    ['either is the one in use', { platforms: two({ isInstalled: async () => true }) }],
  ] as const)('are an error that names both plugins where %s', async ([, wish]) => {
    const error = await rejectionOf(select({ ...wish, platforms: [...wish.platforms] }))
    expect(error).toMatchObject({
      code: 'PLATFORM_AMBIGUOUS',
      message: 'Two platforms are called "runit": they come from the plugins plugin-1 and plugin-2',
      hints: ['Remove one of the plugins: connect plugins uninstall plugin-2'],
    })
  })

  test('are a warning where none of them is meant', async () => {
    const { description, warnings } = await select({ platforms: two() })
    expect(description.name).toBe('background')
    expect(warnings).toEqual([
      'Plugin plugin-2 brings a platform "runit", as one of the plugin plugin-1 is called. To remove it: connect plugins uninstall plugin-2',
    ])
  })

  test('are an error where one is built in, and the name is given', async () => {
    const error = await rejectionOf(select({ named: 'systemd', platforms: [described('systemd')] }))
    expect(error.message).toBe(
      'Two platforms are called "systemd": one is built in, one comes from the plugin plugin-1',
    )
  })
})

describe('an installation into a platform that is named', () => {
  test('is refused while another one has it', async () => {
    const openrc = described('openrc', { isInstalled: async () => true })
    const wish = { named: 'runit', platforms: [openrc, described('runit')] }
    const error = await rejectionOf(select({ ...wish, purpose: 'install' }))
    expect(error).toMatchObject({
      code: 'INSTALLED_ELSEWHERE',
      message: 'The daemon is installed already, in openrc',
      hints: ['Remove it from there first: connect daemon uninstall'],
    })
    // Whoever removes it from there says where.
    expect((await select({ ...wish, named: 'openrc' })).description.name).toBe('openrc')
  })

  test('is refused where there is nothing to install into', async () => {
    const error = await rejectionOf(select({ named: 'background', purpose: 'install' }))
    expect(error).toMatchObject({
      code: 'INSTALL_UNSUPPORTED',
      hints: ['Start it: connect daemon start'],
    })
  })

  test('goes there, before CONNECT_PLATFORM and what is found first', async () => {
    const wish = { named: 'runit', forced: 'background', purpose: 'install' as const }
    const platforms = [described('openrc'), described('runit')]
    expect((await select({ ...wish, platforms })).description.name).toBe('runit')
  })
})

describe('a plugin that does not answer properly is a warning:', () => {
  test('a failure', async () => {
    const problems = [{ plugin: 'openrc', what: 'failed: no such file' }]
    const warnings = ['Plugin openrc failed: no such file. To remove it: connect plugins uninstall openrc']
    expect(await select({ problems })).toMatchObject({ warnings, description: { name: 'background' } })
  })

  test.for([
    ['nothing', undefined],
    ['text', 'openrc'],
    ['an empty object', {}],
    ['a platform of another version', { ...described('openrc'), apiVersion: 3 }],
    ['a platform of an old version', { ...described('openrc'), apiVersion: 0 }],
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
    expect(warnings).toEqual([
      expect.stringMatching(/^Plugin plugin-1 \S.*\. To remove it: connect plugins uninstall plugin-1$/),
    ])
    // The others are still there.
    expect(
      (await select({ platforms: [answer, described('runit')], forced: 'runit' })).description.name,
    ).toBe('runit')
  })

  test('a name that is taken; the first keeps it', async () => {
    const late = described('background', { isInstalled: async () => true })
    const { description, warnings } = await select({ platforms: [late] })
    expect(description.summary).toContain('a background process')
    expect(warnings).toEqual([
      'Plugin plugin-1 brings a platform "background", as a built-in one is called. To remove it: connect plugins uninstall plugin-1',
    ])
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
    expect(warnings).toEqual([
      'Plugin plugin-1 failed, with its platform openrc: rc-service crashed. To remove it: connect plugins uninstall plugin-1',
    ])
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
    expect(warnings).toEqual([
      expect.stringMatching(/^Plugin plugin-1 failed, with its platform openrc: Invalid \S.*$/),
    ])
    if (purpose === 'install') expect(reasons).toContainEqual(expect.stringMatching(/^openrc: Invalid /))
  })
})

test.for([
  [3, 'newer'],
  [0, 'older'],
])('one of apiVersion %i is said to be made for %s Private Connect', async ([apiVersion, than]) => {
  const platforms = [{ ...described('openrc'), apiVersion }]
  expect((await select({ platforms })).warnings).toEqual([
    `Plugin plugin-1 is made for ${than === 'newer' ? 'a' : 'an'} ${than} Private Connect: its apiVersion is ${apiVersion}, this one knows 1 and 2. To remove it: connect plugins uninstall plugin-1`,
  ])
})

test('several platforms of one plugin are all there', async () => {
  const platforms = [[described('openrc'), described('runit')]]
  expect((await select({ platforms, forced: 'runit' })).description.name).toBe('runit')
})
