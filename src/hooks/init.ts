import { parseArgs } from 'node:util'
import type { Hook, Interfaces } from '@oclif/core'

/** How long a plugin may take to say which platform it brings, in ms. */
const PLUGIN_TIMEOUT_MS = 2000

/**
 * Picks and loads the platform, for the commands that act on the daemon or hand over to it; --help and all
 * others pay nothing. It never throws: oclif would swallow that, so the command throws it, once its flags are
 * known to be right.
 */
const hook: Hook.Init = async function init({ id, argv, config }) {
  if (!/^(daemon(:|$)|up$)/.test(id ?? '') || argv.includes('--help') || argv.includes('-h')) return
  const { values } = parseArgs({
    args: argv,
    options: {
      config: { type: 'string' },
      detach: { type: 'boolean', default: false },
      foreground: { type: 'boolean', default: false },
    },
    strict: false,
  })
  if (id === 'up') {
    const { willDetach } = await import('../cli/will-detach.ts')
    if (!willDetach({ detach: Boolean(values.detach), foreground: Boolean(values.foreground) })) return
  }
  const [{ instanceFor }, { keepChosen }, { selectPlatform }] = await Promise.all([
    import('../config/instance.ts'),
    import('../platforms/selection/chosen.ts'),
    import('../platforms/selection/select.ts'),
  ])
  const choose = async () => {
    const configFile = typeof values.config === 'string' ? values.config : undefined
    const context = { instance: instanceFor(configFile), env: process.env }
    const purpose = id === 'daemon:install' ? 'install' : 'use'
    const selection = await selectPlatform({ context, purpose, plugins: () => broughtByPlugins(config) })
    return { ...selection, platform: await selection.description.load(context) }
  }
  await keepChosen(config, choose())
}

async function broughtByPlugins(config: Interfaces.Config) {
  // oclif's own timer keeps no process alive: a plugin that hangs would end this one without a word.
  const awake = setTimeout(() => {}, PLUGIN_TIMEOUT_MS * 2)
  try {
    const { successes, failures } = await config.runHook('connect:platforms', {}, PLUGIN_TIMEOUT_MS, true)
    return {
      platforms: successes.map(({ result }) => result),
      warnings: failures.map(({ plugin, error }) => `Plugin ${plugin.name} failed: ${error.message}`),
    }
  } finally {
    clearTimeout(awake)
  }
}

export default hook
