import { ConnectError } from '../../errors.ts'
import type { HubAddress } from '../../hub-client/connection.ts'
import { HubSession } from '../../hub-client/hub-session.ts'
import { parseResponse, type HubResponse } from '../../hub-client/response.ts'
import { explainSchemeMismatch } from '../../hub-client/scheme-mismatch.ts'
import { HUB_HEADER, HubInfo } from '../../tunnel/protocol/handshake.ts'

/** What a hub says of itself to anyone. */
export interface HubAnswer {
  readonly info: HubInfo
  /** How far this machine's clock is ahead of the hub's, in ms, to a second; undefined if it doesn't say. */
  readonly aheadMs: number | undefined
}

/** @throws ConnectError NOT_A_HUB, HUB_UNREACHABLE */
export async function askWhoItIs(address: HubAddress, timeoutMs: number): Promise<HubAnswer> {
  const session = new HubSession(address, AbortSignal.timeout(timeoutMs))
  try {
    const answer = await session.exchange('GET', '/v1/hub')
    if (answer.header(HUB_HEADER) === undefined) throw stranger(address, answer)
    // RFC 9110 §6.6.1: when the answer was made, without the fraction of its second.
    const date = Date.parse(answer.header('date') ?? '')
    const aheadMs = Number.isNaN(date) ? undefined : Date.now() - date - 500
    return { info: parseResponse(address.hub, HubInfo, answer), aheadMs }
  } catch (error) {
    throw await explainSchemeMismatch(address, error)
  } finally {
    session.close()
  }
}

/** A page, or a way to one (RFC 6585 §6): what networks answer with that want a login first. */
function stranger({ hub }: HubAddress, answer: HubResponse): ConnectError {
  const { status } = answer
  const type = answer.header('content-type')?.split(';', 1)[0] ?? 'nothing'
  const location = answer.header('location') ?? ''
  const what = URL.canParse(location, hub) ? `leads to ${new URL(location, hub).host}` : `has ${type} in it`
  const isPage = status === 511 || (status >= 300 && status < 400) || type === 'text/html'
  const check = 'check the hub’s address: connect login --hub URL'
  return new ConnectError('NOT_A_HUB', `What answers at ${hub} is no hub: HTTP ${status}, which ${what}`, {
    hints: [
      isPage
        ? `If this network wants a login first, open any web page in a browser. Else ${check}`
        : check.replace('c', 'C'),
    ],
  })
}
