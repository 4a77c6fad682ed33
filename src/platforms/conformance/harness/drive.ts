import type { Action, Daemon, PluginPlatform, StartOptions, Stepless } from '../../platform.ts'

/**
 * Runs an action's steps, one after another.
 *
 * @returns what came of it
 * @throws what the first step that fails throws
 */
export async function drive<T>(begin: () => Action<T>): Promise<T> {
  const { steps, result } = begin()
  for (const step of steps) await step.run()
  return result()
}

/** A platform as one that tells no steps: each action runs all of its own. */
export function stepless(platform: PluginPlatform): Stepless {
  return {
    ...(platform.plan && { plan: (daemon: Daemon) => platform.plan!(daemon) }),
    install: (daemon, options) => drive(() => platform.install(daemon, options)),
    uninstall: () => drive(() => platform.uninstall()),
    start: (daemon: Daemon, options: StartOptions) => drive(() => platform.start(daemon, options)),
    async stop() {
      const found = await platform.status()
      return drive(() => platform.stop(found))
    },
    status: () => platform.status(),
  }
}
