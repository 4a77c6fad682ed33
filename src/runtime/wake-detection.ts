import { networkInterfaces } from 'node:os'

/**
 * A look that comes this much later than the clock allows means that the machine slept, or the
 * process stood still.
 */
const LATE_MS = 3000

/**
 * Notices when a link may be gone without a word: after a sleep, and when the network is another one.
 *
 * @param options.everyMs default 1,000
 * @param options.addresses this machine's, default those of its interfaces
 */
export function detectWake(
  woken: () => void,
  options: { everyMs?: number; addresses?: () => string } = {},
): { stop(): void } {
  const { everyMs = 1000, addresses = ownAddresses } = options
  let before = orAsBefore(addresses, '')
  let lookedAt = Date.now()
  const timer = setInterval(() => {
    const [now, wasLate] = [orAsBefore(addresses, before), Date.now() - lookedAt > everyMs + LATE_MS]
    lookedAt = Date.now()
    if (now === before && !wasLate) return
    before = now
    woken()
  }, everyMs)
  return { stop: () => clearInterval(timer) }
}

/** What can't be looked at, for lack of a descriptor say, has not changed. */
function orAsBefore(addresses: () => string, before: string): string {
  try {
    return addresses()
  } catch {
    return before
  }
}

/** Only of interfaces that are up and have a carrier. */
function ownAddresses(): string {
  return Object.entries(networkInterfaces())
    .flatMap(([name, addresses]) => (addresses ?? []).map(({ address }) => `${name} ${address}`))
    .join(', ')
}
