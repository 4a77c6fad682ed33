import * as v from 'valibot'
import { ConnectError } from '../errors.ts'
import { HUB_HEADER, Refusal } from '../tunnel/handshake.ts'

/** An HTTP answer, as far as it matters here. */
export interface Answer {
  readonly status: number
  header(name: string): string | null | undefined
  readonly text: string
}

/** The hub says that our clock is off, and by how much: sign again by its own. */
export class ClockError extends Error {
  override readonly name = 'ClockError'
  /** The hub's clock minus ours, in ms. */
  readonly offsetMs: number

  constructor(offsetMs: number) {
    super(`this machine’s clock is ${Math.round(-offsetMs / 1000)} s ahead of the hub’s`)
    this.offsetMs = offsetMs
  }
}

/** Something answered, but not a hub: a proxy, a login page of a hotel, another program. */
export function notAHub(hub: string, answer: Answer): ConnectError {
  const type = answer.header('content-type')?.split(';', 1)[0]
  const what = `HTTP ${answer.status}${type ? ` and ${type}` : ''}`
  return new ConnectError(
    'NOT_A_HUB',
    `${hub} answered with ${what}, which is not a Private Connect hub’s answer`,
  )
}

/** What an answer other than the wanted one means. Only the hub's own word counts as a refusal. */
export function refusalError(hub: string, answer: Answer): ConnectError | ClockError {
  if (!answer.header(HUB_HEADER)) return notAHub(hub, answer)
  const refusal = parseRefusal(answer.text)
  if (!refusal) return notAHub(hub, answer)
  switch (refusal.error) {
    case 'clock': {
      return new ClockError(refusal.time - Date.now())
    }
    case 'revoked': {
      return new ConnectError('REVOKED', 'The hub has revoked this agent')
    }
    case 'unknown_agent': {
      return new ConnectError('AGENT_UNKNOWN', 'The hub does not know this agent')
    }
    case 'token_refused': {
      return new ConnectError('TOKEN_REFUSED', 'The hub did not accept the join token')
    }
    default: {
      // Our sentences end where they are printed.
      return new ConnectError('HUB_ERROR', `The hub refused: ${refusal.message.replace(/\.$/, '')}`)
    }
  }
}

function parseRefusal(text: string): Refusal | undefined {
  try {
    return v.parse(Refusal, JSON.parse(text))
  } catch {
    return undefined
  }
}
