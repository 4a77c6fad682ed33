import { parseArgs } from 'node:util'
import type { Hook } from '@oclif/core'
import { actsByPlatform } from '../cli/acts-by-platform.ts'
import type { Instance } from '../config/instance.ts'

type Values = Readonly<Record<string, unknown>>

/**
 * Picks and loads the platform, for the commands that act by it; --help and all others pay nothing. It never
 * throws: oclif would swallow that, so the command throws it, once its flags are known to be right.
 */
const hook: Hook.Init = async function init({ id, argv, config }) {
  if (!actsByPlatform(id?.split(':') ?? []) || argv.includes('--help') || argv.includes('-h')) return
  const { values } = parseArgs({
    args: argv,
    options: {
      config: { type: 'string' },
      platform: { type: 'string' },
      'data-dir': { type: 'string' },
      reset: { type: 'boolean', default: false },
      detach: { type: 'boolean', default: false },
      foreground: { type: 'boolean', default: false },
    },
    strict: false,
  })
  if (id === 'up') {
    const { willDetach } = await import('../cli/will-detach.ts')
    if (!willDetach({ detach: Boolean(values.detach), foreground: Boolean(values.foreground) })) return
  }
  const [{ keepChosen }, { selectPlatform }, { askPlugins }] = await Promise.all([
    import('../platforms/selection/chosen.ts'),
    import('../platforms/selection/select.ts'),
    import('../cli/plugins/ask-plugins.ts'),
  ])
  const choose = async () => {
    const instance = id?.startsWith('hub:') ? await hubOf(values) : await agentOf(values)
    const context = { instance, env: process.env }
    const purpose = id?.endsWith(':install') ? 'install' : 'use'
    const named = typeof values.platform === 'string' ? values.platform : undefined
    let brought: ReturnType<typeof askPlugins> | undefined
    const plugins = () => (brought ??= askPlugins(config))
    if (instance.kind === 'hub') {
      const { refuseTakenHubName } = await import('../platforms/selection/hub-name.ts')
      await refuseTakenHubName({ context, plugins })
    }
    const forInstall = () => selectPlatform({ context, purpose: 'install', named, plugins })
    const selection = await selectPlatform({ context, purpose, named, plugins })
    return { ...selection, platform: await selection.description.load(context), forInstall }
  }
  const kept = keepChosen(config, choose())
  // It looks at everything else meanwhile, and a plugin that hangs is one of its findings.
  if (id !== 'doctor') await kept
}

async function agentOf({ config }: Values): Promise<Instance> {
  const { instanceFor } = await import('../config/instance.ts')
  return instanceFor(typeof config === 'string' ? config : undefined)
}

/** The hub that the command is about, by what is saved and the flags that say otherwise. */
async function hubOf({ 'data-dir': dataDir, reset }: Values): Promise<Instance> {
  const [{ hubInstance }, { readHubSettings }, { givenPath }] = await Promise.all([
    import('../config/hub/hub-instance.ts'),
    import('../config/hub/hub-settings.ts'),
    import('../files/given-path.ts'),
  ])
  if (typeof dataDir === 'string') return hubInstance({ dataDir: givenPath(dataDir) })
  return hubInstance(reset === true ? {} : readHubSettings())
}

export default hook
