import { login } from '../agent/login.ts'
import { hubOf, readConfig, type Config } from '../config/config.ts'
import { DEFAULT_HUB_URL, parseHubUrl } from '../config/hub-url.ts'
import type { Instance } from '../config/instance.ts'
import { defaultLabel } from '../config/label.ts'
import { ConnectError } from '../errors.ts'
import { readJoinToken } from './join-token.ts'

export interface LoginFlags {
  readonly hub?: string | undefined
  readonly insecure?: boolean | undefined
  readonly label?: string | undefined
  readonly 'token-file'?: string | undefined
}

/**
 * Sees to it that this machine has a credential. One that is there already is used, and no token is spent.
 *
 * @throws ConnectError WRONG_HUB, TOKEN_MISSING, TOKEN_REFUSED, HUB_UNREACHABLE and the like
 */
export async function ensureLogin(
  instance: Instance,
  flags: LoginFlags,
): Promise<{ config: Config; isNew: boolean }> {
  const saved = readConfig(instance)
  if (saved) {
    hubOf(saved, flags.hub)
    return { config: saved, isNew: false }
  }
  const insecure = flags.insecure ?? false
  const hub = parseHubUrl(flags.hub ?? DEFAULT_HUB_URL, { insecure })
  const label = flags.label ?? defaultLabel()
  if (label.trim() === '' || label.length > 255)
    throw new ConnectError('BAD_VALUE', 'A label has 1 to 255 characters')
  const token = await readJoinToken(flags['token-file'])
  const config = await login(instance, { hub, insecure: insecure && hub.startsWith('http:'), label, token })
  return { config, isNew: true }
}
