import { ConnectError } from '../errors.ts'
import { describeNetworkError, isNoTls, networkHints } from '../net/network-error.ts'

/** A hub that could not be reached, and what to look at. */
export function hubUnreachable(hub: string, error: unknown): ConnectError {
  // An error of the proxy or of the CA file speaks for itself.
  if (error instanceof ConnectError) return error
  const hints = networkHints(error, `connect login --hub ${hub}`)
  if (hub.startsWith('https:') && isNoTls(error)) {
    hints.push(`If that hub speaks plain http: connect login --hub ${hub.replace(/^https/, 'http')}`)
  }
  return new ConnectError(
    'HUB_UNREACHABLE',
    `Could not reach the hub at ${hub}: ${describeNetworkError(error)}`,
    {
      cause: error,
      ...(hints.length > 0 && { hints }),
    },
  )
}
