import { randomBytes } from 'node:crypto'
import type { Config } from '../../config/config.ts'
import { ConnectError } from '../../errors.ts'
import { Signer } from '../../hub-client/credential.ts'
import { dial } from '../../hub-client/dial.ts'
import { HubSession } from '../../hub-client/hub-session.ts'
import { describeNetworkError } from '../../net/network-error.ts'
import { HUB_HEADER } from '../../tunnel/protocol/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../../tunnel/protocol/limits.ts'

const HINT =
  'Ask whoever runs the firewall or proxy to let WebSockets (RFC 6455) through to the hub; a reverse proxy before it has to pass on Upgrade and Connection'

/**
 * Asks for a WebSocket without a credential, which only a hub answers as one does; then opens one as a reach
 * does, and closes it.
 *
 * @param isMember the hub takes this machine's credential
 * @returns whether it was opened
 * @throws ConnectError if it is not let through
 */
export async function askForLink(config: Config, isMember: boolean, timeoutMs: number): Promise<boolean> {
  await ask(config, timeoutMs)
  if (!isMember) return false
  const signer = new Signer(config)
  const link = randomBytes(16).toString('hex')
  const sign = (nonce: string) => signer.sign({ purpose: 'link', link, epoch: 1, role: 'client' }, nonce)
  try {
    const opened = await dial(config, sign, AbortSignal.timeout(timeoutMs))
    opened.terminate('it was only looked whether there can be one')
    return true
  } catch (error) {
    const isBlocked = error instanceof ConnectError && ['HUB_UNREACHABLE', 'NOT_A_HUB'].includes(error.code)
    throw isBlocked ? blocked(`none is opened: ${describeNetworkError(error.cause ?? error)}`) : error
  }
}

async function ask(config: Config, timeoutMs: number): Promise<void> {
  const signal = AbortSignal.timeout(timeoutMs)
  const session = new HubSession(config, signal)
  try {
    const reply = await session.webSocket('/v1/link', {
      headers: {},
      protocol: SUBPROTOCOL,
      maxMessageBytes: MAX_FRAME_BYTES,
      check() {},
    })
    reply.transport?.terminate()
    const { statusCode = 101, headers = {} } = reply.transport ? {} : reply.response
    if (headers[HUB_HEADER] === undefined) throw blocked(`something else answers, with HTTP ${statusCode}`)
    // The hub has no such page: it has got a plain request.
    if (statusCode === 404) throw blocked('the hub gets a request without it')
  } catch (error) {
    if (error instanceof ConnectError) throw error
    throw blocked(describeNetworkError(signal.aborted ? signal.reason : error))
  } finally {
    session.close()
  }
}

/** All else of HTTP goes through by now. */
function blocked(why: string): ConnectError {
  const message = `Something between here and the hub lets no WebSocket through: ${why}`
  return new ConnectError('HUB_UNREACHABLE', message, { hints: [HINT] })
}
