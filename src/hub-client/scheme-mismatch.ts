import { FIND_OWN_HUB } from '../config/first-steps.ts'
import { isLoopback } from '../config/hub-url.ts'
import { ConnectError } from '../errors.ts'
import { networkErrorCode } from '../net/network-error.ts'
import { openConnection, type HubAddress } from './connection.ts'

/** How long the look for TLS may take, in ms. */
const TIMEOUT_MS = 3000

/** What plain http gets from a port that speaks TLS, if no HTTP answer: the end, or bytes of TLS. */
const PLAIN_HTTP_FAILED = /^(ECONNRESET|EPIPE|HPE_)/

/**
 * Plain http to a port that speaks HTTPS fails in as many ways as there are servers, and few of them say why.
 *
 * @returns the error, or a better one
 */
export async function explainSchemeMismatch(address: HubAddress, error: unknown): Promise<unknown> {
  if (!address.hub.startsWith('http:') || !(error instanceof ConnectError)) return error
  const isCandidate =
    error.code === 'NOT_A_HUB' ||
    (error.code === 'HUB_UNREACHABLE' && PLAIN_HTTP_FAILED.test(networkErrorCode(error) ?? ''))
  const secure = address.hub.replace(/^http/, 'https')
  if (!isCandidate || !(await speaksTls({ ...address, hub: secure }))) return error
  const login = `connect login --hub ${secure}`
  return new ConnectError('HUB_UNREACHABLE', `The hub at ${address.hub} speaks HTTPS, and not plain http`, {
    cause: error,
    hints: isLoopback(new URL(secure).hostname)
      ? [FIND_OWN_HUB, `Else use its https address: ${login}`]
      : [`Use its https address: ${login}`],
  })
}

/** Whether the hub's port speaks TLS; a certificate that isn't accepted is TLS, too. */
async function speaksTls(address: HubAddress): Promise<boolean> {
  try {
    const socket = await openConnection(address, AbortSignal.timeout(TIMEOUT_MS))
    socket.destroy()
    return true
  } catch (error) {
    return /CERT|ISSUER|LEAF_SIGNATURE/.test(networkErrorCode(error) ?? '')
  }
}
