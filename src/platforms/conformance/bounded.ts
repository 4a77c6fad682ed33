import { withDeadline } from '../deadline.ts'
import type { Platform, PluginPlatform } from '../platform.ts'
import { CheckedPlatform } from '../plugin-platform.ts'

/** The longest that any call may take, in ms. */
const TIMEOUT_MS = 60_000

/** The platform as commands see it, each of its methods with a deadline. */
export function bounded(name: string, brought: PluginPlatform): Platform {
  const platform = new CheckedPlatform(name, brought, 2 * TIMEOUT_MS)
  const call = <T>(method: keyof Platform, work: () => Promise<T>) =>
    withDeadline(
      work,
      TIMEOUT_MS,
      () => new Error(`${method}() must return within ${TIMEOUT_MS / 1000} s, and didn’t`),
    )
  return {
    install: (daemon, options) => call('install', () => platform.install(daemon, options)),
    uninstall: () => call('uninstall', () => platform.uninstall()),
    start: (daemon, options) => call('start', () => platform.start(daemon, options)),
    stop: () => call('stop', () => platform.stop()),
    status: () => call('status', () => platform.status()),
  }
}
