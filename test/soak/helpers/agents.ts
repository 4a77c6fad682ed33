import { readdirSync, readFileSync } from 'node:fs'
import { identify } from '../../../src/process/identity.ts'
import type { Home } from '../../helpers/home.ts'

/**
 * Every kept-alive agent of a home that lives, as the system sees it: by its environment, not by any file of
 * ours.
 *
 * @param configFile of another instance than the default one
 */
export function agentsOf(home: Home, configFile?: string): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry) || !identify(Number(entry))) return []
    const environment = textOf(`/proc/${entry}/environ`).split('\0')
    if (!environment.includes(`HOME=${home.folder}`) || !environment.includes('CONNECT_DAEMON=1')) return []
    const [, , , ...options] = textOf(`/proc/${entry}/cmdline`).split('\0')
    const at = options.indexOf('--config')
    return (at === -1 ? undefined : options[at + 1]) === configFile ? [Number(entry)] : []
  })
}

/** @returns nothing for a process that has ended meanwhile, or is another user's */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    return ''
  }
}
