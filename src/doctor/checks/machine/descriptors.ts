import { connectionLimit, descriptorLimit } from '../../../runtime/descriptor-limit.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** As few connections as that fill up with one browser. */
const FEW = 64

/** Each connection takes a file descriptor. */
export const descriptors: Check<DoctorContext> = {
  name: 'descriptors',
  group: 'machine',
  title: 'File descriptors',
  async run() {
    const limit = descriptorLimit()
    if (limit === Number.POSITIVE_INFINITY) return { state: 'ok', seen: 'There is no limit' }
    const seen = `ulimit -n is ${limit}, which leaves room for ${connectionLimit(limit)} connections`
    if (connectionLimit(limit) >= FEW) return { state: 'ok', seen }
    return { state: 'warning', seen, fix: 'Raise it where the agent is started: ulimit -n 4096' }
  },
}
