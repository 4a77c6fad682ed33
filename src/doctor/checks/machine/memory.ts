import process from 'node:process'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** An agent takes about 60 MB, and a bulk stream a few more, in bytes. */
const LITTLE = 64 * 1024 * 1024

/** Within the limit of this container or service, where there is one. */
export const memory: Check<DoctorContext> = {
  name: 'memory',
  group: 'machine',
  title: 'Memory',
  async run() {
    const free = process.availableMemory()
    const seen = `${Math.floor(free / 1024 / 1024)} MB are free`
    if (free >= LITTLE) return { state: 'ok', seen }
    return {
      state: 'warning',
      seen,
      fix: 'End something that takes much of it, or raise the limit of this container',
    }
  },
}
