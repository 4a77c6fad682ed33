import { describe } from 'vitest'
import { Random } from './random.ts'

export interface Soak {
  readonly random: Random
  /** @returns how much to do: SOAK=short is what CI runs */
  readonly length: (lengths: { short: number; long: number }) => number
}

/** A suite of random trials. It prints its seed; SOAK_SEED=N repeats them. */
export function soakSuite(title: string, body: (soak: Soak) => void): void {
  if (process.platform !== 'linux') {
    describe.skip(`${title} (needs /proc to find every agent)`, () => {})
    return
  }
  const { SOAK, SOAK_SEED = String(Math.floor(Math.random() * 2 ** 31)) } = process.env
  if (SOAK !== undefined && SOAK !== 'short') throw new Error(`SOAK is short or not set, and not "${SOAK}"`)
  if (!/^\d+$/.test(SOAK_SEED)) throw new Error(`SOAK_SEED is a number, and not "${SOAK_SEED}"`)
  console.log(`${title}: SOAK_SEED=${SOAK_SEED}`)
  const length = ({ short, long }: { short: number; long: number }) => (SOAK === 'short' ? short : long)
  describe(`${title}, SOAK_SEED=${SOAK_SEED}`, () => body({ random: new Random(Number(SOAK_SEED)), length }))
}
