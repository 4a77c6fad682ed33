import type { Hook } from '@oclif/core'

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
  const selection = selectPlatform({
    context: { instance: instanceFor(configFile), env: process.env },
    purpose: id === 'daemon:install' ? 'install' : 'use',
    async plugins() {
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
    },
  })
  rememberSelection(config, selection)
}

export default hook
