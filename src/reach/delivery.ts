import { setImmediate, setTimeout as sleep } from 'node:timers/promises'
import type { Clients } from './clients.ts'

/** How long nothing may get further before it is given up, in ms. */
const IDLE_MS = 1000

const LOOK_EVERY_MS = 10

/**
 * Waits until the services have all that clients have sent who are gone by now, and have closed as well. Who
 * is still connected and says nothing, or a service that does not close, holds this up for a second.
 */
export async function delivered(all: readonly Clients[]): Promise<void> {
  // What has connected by now, and is yet to be accepted.
  for (let turn = 0; turn < 2; turn++) await setImmediate()
  let before = ''
  for (let idleMs = 0; idleMs < IDLE_MS; idleMs += LOOK_EVERY_MS) {
    if (all.every(({ count }) => count === 0)) return
    const now = JSON.stringify(all.map(({ count, progress }) => ({ count, ...progress })))
    if (now !== before) [before, idleMs] = [now, 0]
    await sleep(LOOK_EVERY_MS)
  }
}
