import * as v from 'valibot'
import { ConnectError } from '../errors.ts'
import { HUB_HEADER, Refusal } from '../tunnel/protocol/handshake.ts'

/** An HTTP answer, as far as it matters here. */
export interface HubResponse {
  readonly status: number
  header(name: string): string | null | undefined
  readonly text: string
}

/** The hub wants another nonce signed than the one that was. */
export class NonceError extends ConnectError {
  readonly nonce: string

  constructor(nonce: string) {
    super('HUB_ERROR', 'The hub wants something else signed each time')
    this.nonce = nonce
  }
}

/** Something answered, but not a hub: a proxy, a login page of a hotel, another program. */
export function notAHub(hub: string, answer: HubResponse): ConnectError {
  const type = answer.header('content-type')?.split(';', 1)[0]
  const what = `HTTP ${answer.status}${type ? ` and ${type}` : ''}`
  return new ConnectError(
    'NOT_A_HUB',
    `${hub} answered with ${what}, which is not a Private Connect hub’s answer`,
  )
}

/**
 * Reads what was asked for.
 *
 * @throws ConnectError NOT_A_HUB, or what the hub refuses with
 */
export function parseResponse<T>(hub: string, schema: v.GenericSchema<unknown, T>, answer: HubResponse): T {
  if (answer.status !== 200) throw refusalError(hub, answer)
  const parsed = v.safeParse(schema, parseJson(answer.text))
  if (!answer.header(HUB_HEADER) || !parsed.success) throw notAHub(hub, answer)
  return parsed.output
}

/** Why a join token is of no use, by its state; an older hub doesn't tell that. */
const REFUSED_TOKENS: ReadonlyMap<string | undefined, string> = new Map([
  ['used up', 'The join token was used already'],
  ['expired', 'The join token has expired'],
  ['revoked', 'The join token was revoked'],
])

/** What an answer other than the wanted one means. Only the hub's own word counts as a refusal. */
export function refusalError(hub: string, answer: HubResponse): ConnectError {
  if (!answer.header(HUB_HEADER)) return notAHub(hub, answer)
  const parsed = v.safeParse(Refusal, parseJson(answer.text))
  if (!parsed.success) return notAHub(hub, answer)
  const refusal = parsed.output
  if (refusal.nonce !== undefined) return new NonceError(refusal.nonce)
  switch (refusal.error) {
    case 'revoked': {
      return new ConnectError('REVOKED', 'The hub has revoked this agent')
    }
    case 'unknown_agent': {
      return new ConnectError('AGENT_UNKNOWN', 'The hub does not know this agent')
    }
    case 'token_refused': {
      const why = REFUSED_TOKENS.get(refusal.tokenState)
      return new ConnectError('TOKEN_REFUSED', why ?? 'The hub did not accept the join token')
    }
    default: {
      // Whoever prints a message ends the sentence.
      return new ConnectError('HUB_ERROR', `The hub refused: ${refusal.message.replace(/\.$/, '')}`)
    }
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}
