import type { Server } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { codeOf, ConnectError } from '../errors.ts'
import { listenTcp } from '../net/listen.ts'
import { describeHolder, portHolder } from '../process/port-holder.ts'

/** How soon a port that is in use is tried again, in ms. */
const AGAIN_MS = 50

export interface ListenOptions {
  readonly host: string
  /** 0 for a free one. */
  readonly port: number
  /** How long to wait for a port that is in use, in ms; default 0. */
  readonly portPatienceMs?: number
}

/**
 * Has a hub listen: one that takes the place of another finds its port in use for a moment.
 *
 * @returns the port
 * @throws ConnectError PORT_IN_USE, CANNOT_LISTEN
 */
export async function listenPatiently(
  server: Server,
  { host, port, portPatienceMs = 0 }: ListenOptions,
): Promise<number> {
  const until = performance.now() + portPatienceMs
  for (;;) {
    try {
      return await listenTcp(server, host, port)
    } catch (error) {
      if (codeOf(error) !== 'PORT_IN_USE') throw error
      if (performance.now() >= until) throw withHolder(error as ConnectError, port)
      await sleep(AGAIN_MS)
    }
  }
}

/** Says who has the port, which may be another user’s hub, as far as the system tells. */
function withHolder({ message, cause }: ConnectError, port: number): ConnectError {
  const holder = portHolder(port)
  const by = holder ? `, by ${describeHolder(holder)}` : ''
  const hints = ['Give another one with --listen HOST:PORT; port 0 is a free one.']
  return new ConnectError('PORT_IN_USE', `${message}${by}`, { hints, cause })
}
