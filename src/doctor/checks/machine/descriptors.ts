import { readdirSync, readFileSync } from 'node:fs'
import { codeOf } from '../../../errors.ts'
import { connectionLimit, descriptorLimit } from '../../../runtime/descriptor-limit.ts'
import { counted } from '../../../text/counted.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** As few connections as that fill up with one browser. */
const FEW = 64

const FIX = 'Raise the limit where the agent is started (ulimit -n 4096), then run: connect daemon restart'

/** Each connection takes a file descriptor. */
export const descriptors: Check<DoctorContext> = {
  name: 'descriptors',
  group: 'machine',
  title: 'File descriptors',
  async run(context) {
    const limit = descriptorLimit()
    const room = connectionLimit(limit)
    const here =
      limit === Number.POSITIVE_INFINITY
        ? 'There is no limit'
        : `ulimit -n is ${limit}, which leaves room for ${counted(room, 'connection')}`
    const status = (await context.agent().catch(() => undefined))?.status
    const taken = status && takenBy(status.agent.pid)
    if (taken && taken.open > taken.limit * 0.9)
      return {
        state: 'failed',
        seen: `The agent has ${taken.open} open, of ${taken.limit} that it may have`,
        fix: FIX,
      }
    const seen = taken ? `${here}; the agent has ${taken.open} open, of ${taken.limit}` : here
    return room < FEW ? { state: 'warning', seen, fix: FIX } : { state: 'ok', seen }
  },
}

/** By proc(5); undefined where there is none, or it is not ours to look at. */
function takenBy(pid: number): { readonly open: number; readonly limit: number } | undefined {
  try {
    const open = readdirSync(`/proc/${pid}/fd`).length
    const limits = readFileSync(`/proc/${pid}/limits`, 'utf8')
    const limit = Number(/^Max open files\s+(\d+)/m.exec(limits)?.[1])
    return Number.isNaN(limit) ? undefined : { open, limit }
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
}
