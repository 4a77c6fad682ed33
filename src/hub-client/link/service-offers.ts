import type { AgentMessage, HubMessage } from '../../tunnel/protocol/handshake.ts'

type ServicesReply = Extract<HubMessage, { type: 'services' }>

/** What is told of a service. */
export interface OfferedName {
  readonly name: string
  /** undefined for one that has none, as a Unix socket. */
  readonly port?: number | undefined
}

/** Names that the hub refuses, and why. */
export type Refused = ServicesReply['refused']

const HUB_TOO_OLD = {
  error: 'hub too old',
  message: 'the hub is of a version that knows no Unix sockets',
} as const

/** How long the hub may take to answer, in ms. */
const ANSWER_TIMEOUT_MS = 10_000

/** The lists of services that this agent has told the hub, and the answers that are awaited. */
export class ServiceOffers {
  readonly #send: (message: AgentMessage) => void
  readonly #waiting = new Map<number, (refused: Refused | undefined) => void>()
  #seq = 0

  /** @param send over the link that is up now */
  constructor(send: (message: AgentMessage) => void) {
    this.#send = send
  }

  /**
   * Tells the hub all that this agent exposes.
   *
   * @param takesPortless whether the hub takes services without a port
   * @returns what the hub refuses, or is too old for; undefined if it doesn't answer
   */
  async offer(services: readonly OfferedName[], takesPortless: boolean): Promise<Refused | undefined> {
    const isTaken = ({ port }: OfferedName) => takesPortless || port !== undefined
    const tooNew = services
      .filter((service) => !isTaken(service))
      .map(({ name }) => ({ ...HUB_TOO_OLD, name }))
    const refused = await this.#ask(services.filter(isTaken))
    return refused && [...refused, ...tooNew]
  }

  /** The hub has answered one of the lists. */
  answered({ seq, refused }: ServicesReply): void {
    this.#waiting.get(seq)?.(refused)
  }

  /** The link is lost, and with it all answers. */
  lost(): void {
    for (const resolve of this.#waiting.values()) resolve(undefined)
  }

  async #ask(services: readonly OfferedName[]): Promise<Refused | undefined> {
    const seq = ++this.#seq
    const { promise, resolve } = Promise.withResolvers<Refused | undefined>()
    this.#waiting.set(seq, resolve)
    const timer = setTimeout(() => resolve(undefined), ANSWER_TIMEOUT_MS).unref()
    this.#send({ type: 'services', seq, services: services.map(({ name, port }) => ({ name, port })) })
    try {
      return await promise
    } finally {
      clearTimeout(timer)
      this.#waiting.delete(seq)
    }
  }
}
