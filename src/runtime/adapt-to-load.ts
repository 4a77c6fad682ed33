import { allowOptimization, collectGarbage, isHeapSmall, setHeapGrowth } from './v8-flags.ts'

/** How much the heap may grow before all of it is searched for garbage, in percent of what is in use. */
const GROWTH_PERCENT = 500

const LOOK_EVERY_MS = 1000

/** Processor time between two looks that only work takes: an idle process takes 5 ms, a command 20 more. */
const BUSY_MS = 60

/** After how many looks without work the garbage of the start is collected, and that of work. */
const QUIET_AFTER_START = 5
const QUIET_AFTER_WORK = 90

/** For how many looks at the most a process starts; one without work ends that, too. */
const START_LOOKS = 3

/** Of this thread alone, where Node.js can tell: the hub's database thread starts for little, and ends. */
const usage = 'threadCpuUsage' in process ? 'threadCpuUsage' : 'cpuUsage'

let timer: NodeJS.Timeout | undefined
let isSmall: boolean | undefined
let startLooks = START_LOOKS
let last: NodeJS.CpuUsage | undefined
let hasWorked = false
/** Looks without work since the last work, or the start; undefined once its garbage was collected. */
let quiet: number | undefined = 0

/**
 * Fits V8 to what a data command does, from the end of its start on:
 *
 * - Garbage is collected less often. The buffers of a bulk stream count towards the limit of V8's heap;
 *   ours is small, so the whole of it was searched every 5 to 15 MB of traffic, and half of the processor's
 *   time went there (`node --trace-gc`, `npm run bench`).
 * - Functions are optimised from the first work on.
 * - What the start, or a burst of work, has left is given back once nothing is done any more.
 */
export function adaptToLoad(): void {
  if (timer) return
  adaptHeapGrowth()
  timer = setInterval(look, LOOK_EVERY_MS)
  timer.unref()
}

/**
 * Says that there is work to do: whoever knows need not wait for a look. Nothing in a process that has not
 * called `adaptToLoad`: V8 is not ours there.
 */
export function beginWork(): void {
  if (hasWorked || !timer) return
  hasWorked = true
  allowOptimization()
}

function look(): void {
  adaptHeapGrowth()
  const { user, system } = process[usage](last)
  const isBusy = last === undefined || (user + system) / 1000 >= BUSY_MS
  last = process[usage]()
  startLooks = isBusy ? startLooks - 1 : 0
  if (isBusy) {
    quiet = 0
    if (startLooks < 0) beginWork()
  } else if (quiet !== undefined && ++quiet >= (hasWorked ? QUIET_AFTER_WORK : QUIET_AFTER_START)) {
    quiet = undefined
    collectGarbage()
  }
}

function adaptHeapGrowth(): void {
  const wasSmall = isSmall
  isSmall = isHeapSmall()
  if (isSmall !== wasSmall) setHeapGrowth(isSmall ? GROWTH_PERCENT : 0)
}
