import { connectionLimit, describeConnectionLimit, descriptorLimit } from './descriptor-limit.ts'

/** Without the rest of all descriptors nothing else would work: neither the link nor the control socket. */
const RESERVED_SHARE = 0.25

/**
 * The connections of this process that others can cause, whoever carries them: each takes a descriptor, and
 * together they leave room for all else that needs one.
 */
export class ConnectionPlaces {
  #cachedDescriptors: number | undefined
  #taken = 0
  #reserved = 0

  /** @param descriptors how many the process may have; default what the system says, once it is asked for */
  constructor(descriptors?: number) {
    this.#cachedDescriptors = descriptors
  }

  /** How many more there may be; never below 0. */
  get free(): number {
    return Math.max(0, this.limit - this.#taken)
  }

  /** At least one. */
  get limit(): number {
    return Math.max(1, connectionLimit(this.#descriptors) - this.#reserved)
  }

  /** Why there may be no more, for whoever is refused; undefined if there may. */
  get whyFull(): string | undefined {
    return this.free > 0 ? undefined : describeConnectionLimit(this.#taken, this.#descriptors)
  }

  /** Takes a place, free or not. @returns gives it back; again does no harm */
  take(): () => void {
    this.#taken++
    return once(() => this.#taken--)
  }

  /** Why no more descriptors may be reserved; undefined if they may. */
  get whyNoneToReserve(): string | undefined {
    if (this.#reserved < RESERVED_SHARE * this.#descriptors) return undefined
    return `${this.#reserved} sockets listen already, as many as "ulimit -n" leaves room for (${this.#descriptors})`
  }

  /** Takes descriptors from connections, for something else. @returns gives them back; again does no harm */
  reserve(count: number): () => void {
    this.#reserved += count
    return once(() => (this.#reserved -= count))
  }

  get #descriptors(): number {
    return (this.#cachedDescriptors ??= descriptorLimit())
  }
}

function once(work: () => void): () => void {
  let isDone = false
  return () => {
    if (isDone) return
    isDone = true
    work()
  }
}

export const connectionPlaces = new ConnectionPlaces()
