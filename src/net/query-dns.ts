import { setTimeout as sleep } from 'node:timers/promises'
import type { promises } from 'node:dns'
import { codeOf } from '../errors.ts'
import type { Address } from './known-addresses.ts'
import { searchedNames } from './search-list.ts'

/** How long a name server may take for the first answer, in ms; the second try may take twice as long. */
const TIMEOUT_MS = 1500
const TRIES = 2

/** How much longer the second family may take than the first, in ms (RFC 8305 §3, Resolution Delay). */
const RESOLUTION_DELAY_MS = 50

/**
 * Asks the name servers for both families at once, by c-ares: unlike getaddrinfo that takes no thread, and
 * ends when the signal says so. It knows DNS only.
 *
 * @throws Error with one of c-ares’ codes: ETIMEOUT, ENOTFOUND, ENODATA, ESERVFAIL and the like
 */
export async function queryDns(name: string, signal: AbortSignal): Promise<Address[]> {
  // node:dns is loaded when a name is looked up, and not before.
  const { Resolver } = process.getBuiltinModule('node:dns').promises
  // A new resolver each time: it reads the list of servers when it is made.
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES })
  const cancel = () => resolver.cancel()
  signal.addEventListener('abort', cancel)
  try {
    let failure: unknown
    for (const candidate of await searchedNames(name)) {
      try {
        return await queryBoth(resolver, candidate)
      } catch (error) {
        // The name as it is says more than what a search has made of it.
        if (failure === undefined || candidate === name) failure = error
        if (codeOf(error) === 'ETIMEOUT' || signal.aborted) throw error
      }
    }
    throw failure
  } finally {
    signal.removeEventListener('abort', cancel)
    cancel()
  }
}

async function queryBoth(resolver: promises.Resolver, name: string): Promise<Address[]> {
  const queries = [
    resolver.resolve6(name).then((list) => list.map((address) => ({ address, family: 6 }))),
    resolver.resolve4(name).then((list) => list.map((address) => ({ address, family: 4 }))),
  ]
  try {
    await Promise.any(queries)
  } catch (error) {
    const { errors } = error as AggregateError
    throw errors.find((one) => codeOf(one) === 'ETIMEOUT') ?? errors[0]
  }
  const late = sleep<Address[]>(RESOLUTION_DELAY_MS, [])
  const found = await Promise.all(queries.map((query) => Promise.race([query.catch(() => []), late])))
  return found.flat()
}
