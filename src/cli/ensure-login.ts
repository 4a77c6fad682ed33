import { login } from '../agent/login.ts'
import { hubOf, readConfig, writeConfig, type Config } from '../config/config.ts'
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
    return { config: withLabel(instance, saved, flags.label), isNew: false }
  }
  const insecure = flags.insecure ?? false
  const hub = parseHubUrl(flags.hub ?? DEFAULT_HUB_URL, { insecure })
  const label = parseLabel(flags.label ?? defaultLabel())
  const config = await login(instance, {
    hub,
    // What is not needed is not remembered: the next http hub has to be accepted anew.
    insecure: insecure && hub.startsWith('http:'),
    label,
    token: () => readJoinToken(flags['token-file']),
  })
  return { config, isNew: true }
}

/** A new label is saved; the agent tells it to the hub when it next connects. */
function withLabel(instance: Instance, saved: Config, label: string | undefined): Config {
  if (label === undefined || label === saved.label) return saved
  const config = { ...saved, label: parseLabel(label) }
  writeConfig(instance, config)
  return config
}

function parseLabel(text: string): string {
  if (text.trim() !== '' && text.length <= 255) return text
  throw new ConnectError('BAD_VALUE', 'A label has 1 to 255 characters')
}
