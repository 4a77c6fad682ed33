import { codeOf } from '../errors.ts'
import { lookUpInHosts } from './hosts-file.ts'
import type { Address } from './known-addresses.ts'
import { queryDns } from './query-dns.ts'

export interface ResolverOptions {
  /** How long a lookup may take, in ms, default 8,000: a name server that is gone costs getaddrinfo 5,000. */
  readonly timeoutMs?: number
  /** How long a name is refused at once after nobody has answered for it, in ms; default 0. */
  readonly coolDownMs?: number
  /** Ask getaddrinfo only for what neither hosts nor DNS know; default false. */
  readonly isSystemLast?: boolean
  /** The system's resolver; default getaddrinfo. */
  readonly system?: (name: string) => Promise<readonly Address[]>
  /** The machine's list of hosts; default hosts(5). */
  readonly hosts?: (name: string) => Promise<readonly Address[]>
  /** DNS; default queryDns. */
  readonly dns?: (name: string, signal: AbortSignal) => Promise<readonly Address[]>
  /** ms of a clock that never jumps. */
  readonly now?: () => number
}

const TIMEOUT_MS = 8000
const COOL_DOWN_MS = 5000
const ASKED_TIMEOUT_MS = 2000

/** A failure that has taken this long, in ms, is no answer but the lack of one. */
const SLOW_MS = 1000

/**
 * Turns names into addresses. getaddrinfo knows best, but can’t be ended, and takes one of two threads of
 * this process for as long as name servers are silent. So it looks up one name at a time. Meanwhile other
 * names are looked for in the list of hosts, and asked of DNS without a thread; those that neither knows wait
 * for getaddrinfo.
 */
export class NameResolver {
  readonly #options: ResolverOptions
  readonly #system: (name: string) => Promise<readonly Address[]>
  readonly #now: () => number
  /** Lookups that go on, by name: all who ask for one share it. */
  readonly #lookups = new Map<string, Promise<readonly Address[]>>()
  /** The name that getaddrinfo looks up now, even if everyone who asked has given up. */
  #running: { readonly name: string; readonly found: Promise<readonly Address[]> } | undefined
  readonly #waiting = new Set<() => void>()
  /** Until when each name is refused. */
  readonly #silent = new Map<string, number>()

  constructor(options: ResolverOptions = {}) {
    this.#options = options
    this.#system = options.system ?? getaddrinfo
    this.#now = options.now ?? (() => performance.now())
  }

  /** @throws Error “DNS did not answer for NAME”, or getaddrinfo’s */
  resolve(host: string): Promise<readonly Address[]> {
    const name = host.toLowerCase()
    const known = this.#lookups.get(name)
    if (known) return known
    if (this.#now() < (this.#silent.get(name) ?? 0)) return Promise.reject(noAnswer(name))
    const lookup = this.#timed(name).finally(() => this.#lookups.delete(name))
    this.#lookups.set(name, lookup)
    return lookup
  }

  async #timed(name: string): Promise<readonly Address[]> {
    const { timeoutMs = TIMEOUT_MS } = this.#options
    const startedAt = this.#now()
    const giveUp = new AbortController()
    const timer = setTimeout(() => giveUp.abort(noAnswer(name)), timeoutMs)
    try {
      return await this.#lookUp(name, giveUp.signal)
    } catch (error) {
      if (this.#now() - startedAt > SLOW_MS) this.#refuseForNow(name)
      throw error
    } finally {
      clearTimeout(timer)
    }
  }

  #lookUp(name: string, signal: AbortSignal): Promise<readonly Address[]> {
    const { promise, resolve, reject } = Promise.withResolvers<readonly Address[]>()
    // What getaddrinfo says is final.
    const askSystem = () => void this.#run(name).then(resolve, reject)
    let failure: unknown
    signal.addEventListener('abort', () => {
      this.#waiting.delete(askSystem)
      reject(failure ?? signal.reason)
    })
    const { isSystemLast = false } = this.#options
    if (!isSystemLast && (!this.#running || this.#running.name === name)) askSystem()
    else {
      void this.#askOthers(name, signal).then(resolve, (error: unknown) => {
        if (codeOf(error) === 'ETIMEOUT') return reject(noAnswer(name))
        if (signal.aborted) return
        failure = notFound(name, error)
        if (this.#running) this.#waiting.add(askSystem)
        else askSystem()
      })
    }
    return promise
  }

  async #askOthers(name: string, signal: AbortSignal): Promise<readonly Address[]> {
    const { hosts = lookUpInHosts, dns = queryDns } = this.#options
    const found = await hosts(name)
    return found.length > 0 ? found : dns(name, signal)
  }

  async #run(name: string): Promise<readonly Address[]> {
    if (this.#running?.name === name) return this.#running.found
    const found = this.#system(name)
    this.#running = { name, found }
    try {
      return await found
    } finally {
      this.#running = undefined
      const [next] = this.#waiting
      if (next) {
        this.#waiting.delete(next)
        next()
      }
    }
  }

  #refuseForNow(name: string): void {
    const now = this.#now()
    for (const [old, until] of this.#silent) if (until <= now) this.#silent.delete(old)
    this.#silent.set(name, now + (this.#options.coolDownMs ?? 0))
  }
}

/** For hubs and proxies: no target’s dead name holds them up, and a link has a back-off of its own. */
export const hubNames = new NameResolver()

/** For the targets of exposed services. */
export const targetNames = new NameResolver({ coolDownMs: COOL_DOWN_MS })

/** For a command that only asks whether a target answers: a process can’t end before getaddrinfo does. */
export const askedNames = new NameResolver({ isSystemLast: true, timeoutMs: ASKED_TIMEOUT_MS })

async function getaddrinfo(name: string): Promise<readonly Address[]> {
  // Both families at once, in the order of RFC 6724.
  return process.getBuiltinModule('node:dns').promises.lookup(name, { all: true, order: 'verbatim' })
}

function noAnswer(name: string): Error {
  return Object.assign(new Error(`DNS did not answer for ${name}`), { code: 'ETIMEOUT' })
}

/** c-ares has codes of its own, and some mean something else where TCP connections fail. */
function notFound(name: string, cause: unknown): Error {
  const code = ['ENOTFOUND', 'ENODATA'].includes(codeOf(cause) ?? '') ? 'ENOTFOUND' : 'EAI_AGAIN'
  return Object.assign(new Error(`${name} could not be looked up`, { cause }), { code })
}
