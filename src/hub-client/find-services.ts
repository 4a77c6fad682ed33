import type { Config } from '../config/config.ts'
import type { Offer } from '../control/schema.ts'
import { ERRORS } from '../error-codes.ts'
import { ConnectError } from '../errors.ts'
import type { OfferedService } from '../tunnel/protocol/handshake.ts'
import { Signer } from './credential.ts'
import { HubClient } from './hub-client.ts'

/**
 * Asks the hub for services by their names.
 *
 * @param names one at least
 * @returns them in the same order
 * @throws ConnectError SERVICE_UNKNOWN if one is not there, with which may have been meant; or what HubClient
 * throws
 */
export async function findServices(config: Config, names: readonly string[]): Promise<OfferedService[]> {
  const [client, signer] = [new HubClient(config), new Signer(config)]
  const [only, ...others] = names
  const offered = others.length > 0 ? await client.services(signer) : [await client.service(signer, only!)]
  const found = names.map((name) => offered.find((service) => service?.name === name))
  const missing = names.filter((_, index) => !found[index])
  if (missing.length === 0) return found as OfferedService[]
  // A guess is a courtesy: that the hub can't be asked any more changes nothing.
  const all = await client.services(signer).catch(() => [])
  throw await unknownServices(
    missing,
    all.map(({ name }) => name),
  )
}

/** All that the workspace offers, by name. @throws ConnectError as HubClient */
export async function askOffers(config: Config): Promise<Offer[]> {
  const offered = await new HubClient(config).services(new Signer(config))
  return offered.map((one) => ({ ...one, port: one.port ?? null }))
}

async function unknownServices(names: readonly string[], offered: readonly string[]): Promise<ConnectError> {
  const { nearest } = await import('../text/nearest.ts')
  const meant = names.flatMap((name) => nearest(name, offered) ?? [])
  const hints = [
    ...(meant.length > 0 ? [`Did you mean: ${meant.join(' ')}`] : []),
    // Other programs take the local port as a word of its own.
    ...(names.some((name) => /^\d+$/.test(name))
      ? ['A local port stands behind a colon: connect reach NAME:PORT']
      : []),
    ERRORS.SERVICE_UNKNOWN.fix,
  ]
  const quoted = names.map((name) => `"${name}"`).join(' or ')
  return new ConnectError('SERVICE_UNKNOWN', `There is no service ${quoted}`, { hints })
}
