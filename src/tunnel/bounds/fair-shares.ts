import { SHARE_OF_FREE } from '../protocol/limits.ts'
import { Counts } from './counts.ts'

/**
 * Who has how many of a number of places. Nobody may take another place while having SHARE_OF_FREE times as
 * many as are free: one alone gets three quarters of all, two get three sevenths each, and whoever has none
 * gets in until hundreds have come to take the last place (dynamic thresholds: Choudhury and Hahne, "Dynamic
 * Queue Length Thresholds for Shared-Memory Packet Switches", IEEE/ACM Trans. on Networking 6(2), 1998).
 */
export class FairShares {
  readonly #counts = new Counts()

  of(who: string): number {
    return this.#counts.of(who)
  }

  /** @param free how many places nobody has; Infinity if there is no end of them */
  mayAcquire(who: string, free: number): boolean {
    return free > 0 && this.of(who) < SHARE_OF_FREE * free
  }

  acquire(who: string): void {
    this.#counts.add(who)
  }

  release(who: string): void {
    this.#counts.remove(who)
  }
}
