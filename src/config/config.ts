import * as v from 'valibot'
import { ERRORS } from '../error-codes.ts'
import { ConnectError } from '../errors.ts'
import { prepareWrite, type PendingWrite } from '../files/durable/atomic-write.ts'
import { ensurePrivateFolder } from '../files/private-folder.ts'
import { readJson } from '../files/read-json.ts'
import { checkWay } from '../files/trust.ts'
import { AgentId } from './agent-id.ts'
import { FIRST_STEPS } from './first-steps.ts'
import { parseHubUrl } from './hub-url.ts'
import { ownsFolder, type Instance } from './instance.ts'

const VERSION = 1

/** With a message of its own: valibot's would quote the key. */
const KeyPart = v.pipe(v.string('not a key'), v.regex(/^[\w-]{43}$/, 'not a key'))

/** RFC 8037: an Ed25519 key pair as a JWK. */
export const PrivateKey = v.strictObject({
  kty: v.literal('OKP'),
  crv: v.literal('Ed25519'),
  x: KeyPart,
  d: KeyPart,
})
export type PrivateKey = v.InferOutput<typeof PrivateKey>

const Config = v.object({
  version: v.literal(VERSION),
  agentId: AgentId,
  label: v.pipe(v.string(), v.minLength(1), v.maxLength(255)),
  hub: v.string(),
  hubId: v.pipe(v.string(), v.regex(/^hub_[0-9a-f]{16}$/, 'not a hub id')),
  /** Plain http to another machine was accepted at login. */
  insecure: v.optional(v.boolean(), false),
  /** A proxy on the way to the hub, as a URL that may hold a password; see proxy.ts. */
  proxy: v.optional(v.string('not a URL')),
  /** Absolute path of a PEM file: authorities to trust besides the known ones. */
  ca: v.optional(v.string()),
  /** The only authority to trust for the hub, in PEM, as the invite has named it: see hub-client/login.ts. */
  authority: v.optional(v.pipe(v.string(), v.startsWith('-----BEGIN CERTIFICATE-----', 'not a certificate'))),
  key: PrivateKey,
})

/** Who this machine is, to which hub, and how to get there. Holds secrets: never log it, never print it. */
export type Config = Omit<v.InferOutput<typeof Config>, 'version'>

/**
 * @returns undefined if this instance has no config
 * @throws ConnectError CONFIG_UNREADABLE, CONFIG_DAMAGED, CONFIG_EXPOSED, CONFIG_NEWER
 */
export function readConfig(instance: Instance): Config | undefined {
  const file = readJson(instance.configFile, Config, {
    version: VERSION,
    damaged: 'CONFIG_DAMAGED',
    secret: true,
  })
  if (!file) return undefined
  const { version: _, ...config } = file
  return config
}

/** @throws ConnectError NOT_CONFIGURED, or what readConfig throws */
export function requireConfig(instance: Instance): Config {
  const config = readConfig(instance)
  if (config) return config
  throw new ConnectError('NOT_CONFIGURED', 'Agent not configured', {
    hints: [ERRORS.NOT_CONFIGURED.fix, ...FIRST_STEPS],
  })
}

/** @throws ConnectError WRITE_FAILED */
export function writeConfig(instance: Instance, config: Config): void {
  prepareConfig(instance, config).commit()
}

/** Saves what has changed, if anything has. @throws ConnectError WRITE_FAILED */
export function updateConfig(
  instance: Instance,
  saved: Config,
  changes: Partial<Pick<Config, 'label' | 'hub' | 'insecure' | 'proxy' | 'ca' | 'authority'>>,
): Config {
  const config = { ...saved, ...changes }
  if (JSON.stringify(config) !== JSON.stringify(saved)) writeConfig(instance, config)
  return config
}

/** @throws ConnectError WRITE_FAILED */
export function prepareConfig(instance: Instance, config: Config): PendingWrite {
  ensureInstanceFolder(instance)
  return prepareWrite(instance.configFile, `${JSON.stringify({ version: VERSION, ...config }, null, 2)}\n`)
}

/**
 * Another instance's folder may be a shared one, /etc even: only our own is made private.
 *
 * @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED
 */
export function ensureInstanceFolder(instance: Instance): void {
  if (ownsFolder(instance)) ensurePrivateFolder(instance.folder)
  else checkWay(instance.folder)
}

function savedHub({ hub, insecure }: Config): string {
  try {
    return parseHubUrl(hub, { insecure })
  } catch (error) {
    if (!(error instanceof ConnectError) || error.code !== 'BAD_HUB_URL') throw error
    throw new ConnectError('CONFIG_DAMAGED', `The hub in the config cannot be used: ${error.message}`, {
      cause: error,
    })
  }
}

/**
 * The hub that this run talks to: the one that issued the credential.
 *
 * @param wanted the value of --hub or CONNECT_HUB_URL
 * @throws ConnectError WRONG_HUB if that is another one
 */
export function hubOf(config: Config, wanted?: string): string {
  // The same rule on every start: a config edited by hand is as untrusted as a flag.
  const saved = savedHub(config)
  if (wanted === undefined) return saved
  const asked = parseHubUrl(wanted, { insecure: config.insecure })
  if (asked === saved) return saved
  throw new ConnectError('WRONG_HUB', `This machine is logged in to ${saved}, not to ${asked}`, {
    hints: [`Run: connect logout, then connect login --hub ${asked}`],
  })
}
