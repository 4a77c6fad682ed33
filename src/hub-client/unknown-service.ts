import { ConnectError, ERRORS } from '../errors.ts'
import type { Signer } from './credential.ts'
import type { HubClient } from './hub-client.ts'

/**
 * What to say of services that the hub doesn't offer, and which ones may have been meant.
 *
 * @param names one at least
 */
export async function unknownService(
  client: HubClient,
  signer: Signer,
  names: readonly string[],
): Promise<ConnectError> {
  // A guess is a courtesy: that the hub can't be asked any more changes nothing.
  const offered = await client.services(signer).catch(() => [])
  const meant = await mistyped(
    names,
    offered.map(({ name }) => name),
  )
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

async function mistyped(names: readonly string[], offered: readonly string[]): Promise<string[]> {
  if (offered.length === 0) return []
  const { closest, distance } = await import('fastest-levenshtein')
  return names.flatMap((name) => {
    const alike = closest(name, offered)
    return distance(name, alike) <= Math.ceil(name.length / 3) ? [alike] : []
  })
}
