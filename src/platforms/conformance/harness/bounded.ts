import type { Instance } from '../../../config/instance.ts'
import { withDeadline } from '../../../runtime/deadline.ts'
import type { Installed, Stepless, Uninstalled } from '../../platform.ts'
import type { Brought } from '../../plugin/plugin-calls.ts'
import { GuardedPlatform } from '../../plugin/plugin-platform.ts'
import { stepless } from './drive.ts'

/** The longest that any call may take, in ms. */
const TIMEOUT_MS = 60_000

/** A platform as commands see it. */
export interface BoundedPlatform extends Omit<Stepless, 'plan'> {
  install(...args: Parameters<Stepless['install']>): Promise<Installed>
  uninstall(): Promise<Uninstalled | undefined>
}

/** A platform each of whose methods has a deadline, and runs all its steps. */
export function bounded(instance: Instance, brought: Brought): BoundedPlatform {
  const checked = new GuardedPlatform(instance, brought, 2 * TIMEOUT_MS)
  const platform = stepless(checked) as BoundedPlatform
  const call = <T>(method: keyof BoundedPlatform, work: () => Promise<T>) =>
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
