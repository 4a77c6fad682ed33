import { readCaFile } from '../../config/ca-file.ts'
import { hubOf, readConfig, updateConfig, type Config } from '../../config/config.ts'
import { FIRST_STEPS } from '../../config/first-steps.ts'
import { DEFAULT_HUB_URL, isLoopback, parseHubUrl } from '../../config/hub-url.ts'
import type { Instance } from '../../config/instance.ts'
import { defaultLabel } from '../../config/label.ts'
import { proxyToSave } from '../../config/proxy/proxy.ts'
import { ERRORS, type ErrorCode } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import { givenPath } from '../../files/given-path.ts'
import { login } from '../../hub-client/login.ts'
import { readJoinSecret, type JoinSecret } from './join-secret.ts'

export interface LoginFlags {
  readonly hub?: string | undefined
  readonly ca?: string | undefined
  readonly insecure?: boolean | undefined
  readonly label?: string | undefined
  readonly 'token-file'?: string | undefined
}

/** What may well be otherwise at another hub. */
const ANOTHER_HUB: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'HUB_ERROR',
  'HUB_UNREACHABLE',
  'NOT_A_HUB',
  'PROXY_FAILED',
  'TOKEN_MISSING',
  'TOKEN_REFUSED',
])

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
    return { config: withChanges(instance, saved, flags), isNew: false }
  }
  return { config: await join(instance, flags), isNew: true }
}

async function join(instance: Instance, flags: LoginFlags): Promise<Config> {
  const insecure = flags.insecure ?? false
  const label = parseLabel(flags.label ?? defaultLabel())
  const ca = parseCa(flags.ca)
  // Another address than the invite's may be the way to its hub from here, as behind a NAT.
  const named = flags.hub === undefined ? undefined : parseHubUrl(flags.hub, { insecure })
  let secret: JoinSecret | undefined
  try {
    secret = await readJoinSecret(flags['token-file'])
    const hub = named ?? parseHubUrl(secret.address ?? DEFAULT_HUB_URL, { insecure })
    return await login(instance, {
      hub,
      proxy: proxyToSave({ hub }, process.env),
      ca,
      // A permission that is not needed is not remembered: the next http hub has to be accepted anew.
      insecure: insecure && hub.startsWith('http:'),
      label,
      token: secret.token,
      fingerprint: secret.fingerprint,
    })
  } catch (thrown) {
    const known = secret?.address
    const error = known === undefined ? thrown : ofInvite(thrown)
    if (named !== undefined || !(error instanceof ConnectError) || !ANOTHER_HUB.has(error.code)) throw error
    if (known === undefined) throw withFirstSteps(error)
    throw isLoopback(new URL(known).hostname) ? ofThisMachineOnly(error, known) : error
  }
}

/**
 * Nobody has named a hub, and the public one is not what it took: most likely there is another, or none yet.
 */
function withFirstSteps(error: ConnectError): ConnectError {
  const own = error.hints.filter((hint) => hint !== ERRORS.HUB_UNREACHABLE.fix)
  const asked = error.code === 'TOKEN_MISSING' ? [] : ['No hub was named, so this was the public one.']
  return new ConnectError(error.code, error.message, {
    hints: [...own, ...asked, ...FIRST_STEPS],
    cause: error,
  })
}

/** Who was given an invite knows of no token, and asks for another invite. */
function ofInvite(thrown: unknown): unknown {
  if (!(thrown instanceof ConnectError) || thrown.code !== 'TOKEN_REFUSED') return thrown
  return new ConnectError('TOKEN_REFUSED', thrown.message.replace('join token', 'invite'), {
    hints: thrown.hints,
    cause: thrown,
  })
}

function ofThisMachineOnly(error: ConnectError, address: string): ConnectError {
  const hint = `The invite names ${address}: it is for the machine that the hub runs on, and for no other.`
  return new ConnectError(error.code, error.message, { hints: [hint, ...error.hints], cause: error })
}

/** Saves what the flags change. A running agent takes that up when it is started again. */
function withChanges(instance: Instance, saved: Config, { label, ca }: LoginFlags): Config {
  return updateConfig(instance, saved, {
    ...(label !== undefined && { label: parseLabel(label) }),
    // Whoever names an authority relies on the invite's no more.
    ...(ca !== undefined && { ca: parseCa(ca), authority: undefined }),
    proxy: proxyToSave(saved, process.env),
  })
}

/** Absolute: a daemon runs in another folder. @throws ConnectError BAD_CA */
function parseCa(file: string | undefined): string | undefined {
  if (file === undefined) return undefined
  const absolute = givenPath(file)
  readCaFile(absolute)
  return absolute
}

function parseLabel(text: string): string {
  if (text.trim() !== '' && text.length <= 255) return text
  throw new ConnectError('BAD_VALUE', 'A label has 1 to 255 characters')
}
