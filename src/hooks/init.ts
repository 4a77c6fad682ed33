import type { Hook, Interfaces } from '@oclif/core'

/** Commands that act on the daemon, or may hand over to it. */
const NEEDS_PLATFORM = /^(daemon(:|$)|up$)/

/** How long a plugin may take to say which platform it brings, in ms. */
const PLUGIN_TIMEOUT_MS = 2000

/** Picks the platform, for the commands that need one; --help and all others pay nothing. */
const hook: Hook.Init = async function init({ id, argv, config }) {
  if (!NEEDS_PLATFORM.test(id ?? '') || argv.includes('--help') || argv.includes('-h')) return
  const [{ parseArgs }, { instanceFor }, { rememberSelection, selectPlatform }] = await Promise.all([
    import('node:util'),
    import('../config/instance.ts'),
    import('../platforms/select.ts'),
  ])
  const { values } = parseArgs({ args: argv, options: { config: { type: 'string' } }, strict: false })
  const configFile = typeof values.config === 'string' ? values.config : undefined
  const purpose = id === 'daemon:install' ? 'install' : 'use'
  const pick = async () => {
    const context = { instance: instanceFor(configFile), env: process.env }
    return selectPlatform({ context, purpose, plugins: () => broughtByPlugins(config) })
  }
  // What it throws, of the path too, is for the command to tell.
  rememberSelection(config, pick())
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
