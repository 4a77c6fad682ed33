import type { ReachFailure } from '../control/schema.ts'
import { LINK_LOST_CODES, STREAM_CODES } from '../tunnel/protocol/codes.ts'

const { AGENT_OFFLINE, LIMIT, LINK_LOST, LOOP, OTHER_AGENT, SERVICE_UNKNOWN, STREAM_UNKNOWN } = STREAM_CODES
const { TARGET_REFUSED, TARGET_UNREACHABLE, TIMEOUT } = STREAM_CODES

/** Who or what was in the way, by the code that the stream ended with. */
const CAUSES: ReadonlyMap<number, ReachFailure['cause']> = new Map([
  [SERVICE_UNKNOWN, 'service'],
  [OTHER_AGENT, 'owner'],
  [LINK_LOST, 'agent'],
  [STREAM_UNKNOWN, 'agent'],
  [AGENT_OFFLINE, 'agent'],
  [TIMEOUT, 'agent'],
  [TARGET_REFUSED, 'target'],
  [TARGET_UNREACHABLE, 'target'],
  [LIMIT, 'limit'],
  [LOOP, 'loop'],
])

/** Why connections through a port fail now, and since when: until one succeeds. */
export class LastFailure {
  #failure: ReachFailure | undefined

  get current(): ReachFailure | undefined {
    return this.#failure
  }

  /** @param isLinked there was a link to the hub at the time */
  failed(code: number, reason: string, isLinked: boolean): void {
    const isOurs = !isLinked && LINK_LOST_CODES.has(code)
    const cause = isOurs ? 'hub' : (CAUSES.get(code) ?? 'other')
    const since = this.#failure?.cause === cause ? this.#failure.since : new Date().toISOString()
    this.#failure = { cause, reason, since }
  }

  /** There is a link to the hub again: connections may fail for another cause, and not for that. */
  linked(): void {
    if (this.#failure?.cause === 'hub') this.#failure = undefined
  }

  /** Whoever serves it now may do so. */
  accepted(): void {
    if (this.#failure?.cause === 'owner') this.#failure = undefined
  }

  succeeded(): void {
    this.#failure = undefined
  }
}
