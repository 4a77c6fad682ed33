/** How much the heap may grow before all of it is searched for garbage, in percent of what is in use. */
const GROWTH_PERCENT = 500

/**
 * A heap beyond this is left to V8's own judgement: growth by that much would cost too much memory; in bytes.
 */
const SMALL_HEAP = 64 * 1024 * 1024

const LOOK_EVERY_MS = 1000

const GIVE_BACK_AFTER_MS = 10 * 60_000

/** Flags of V8 are no interface, and one that is not known is complained about on stderr: these have it. */
const NEWEST_KNOWN = 26

const knowsFlags = Number.parseInt(process.versions.node, 10) <= NEWEST_KNOWN

/** Loaded by those who have flags to set: most commands have none, and start sooner. */
const v8 = () => process.getBuiltinModule('node:v8')

let isSmall: boolean | undefined

/**
 * Keeps the heap's young part at its first size, 1 MB; to be called before it has grown. A large one is
 * seldom full, and buffers that no one uses any more stay until all of the heap is searched for them: that
 * took a third of the processor's time (`npm run bench`).
 */
export function limitSemiSpace(): void {
  if (knowsFlags) v8().setFlagsFromString('--semi-space-growth-factor=1')
}

/**
 * Has an idle process give back memory only after ten minutes. V8 does it after 8 s (30 s in Node.js
 * 26), and forgets how the objects looked of which none is left, and with that the code that was
 * compiled for them: the next bulk stream then took a quarter more of the processor's time for its first
 * gigabyte (`node --trace-deopt`).
 */
export function delayMemoryReducer(): void {
  if (knowsFlags) v8().setFlagsFromString(`--gc-memory-reducer-start-delay-ms=${GIVE_BACK_AFTER_MS}`)
}

/**
 * Has a data command collect its garbage less often. The buffers of a bulk stream count towards the limit of
 * V8's heap; ours is small, so the whole of it was searched every 5 to 15 MB of traffic, and half of the
 * processor's time went there (`node --trace-gc`, `npm run bench`).
 */
export function raiseHeapGrowth(): void {
  if (isSmall !== undefined || !knowsFlags) return
  adapt()
  setInterval(adapt, LOOK_EVERY_MS).unref()
}

function adapt(): void {
  const wasSmall = isSmall
  isSmall = v8().getHeapStatistics().used_heap_size < SMALL_HEAP
  if (isSmall !== wasSmall) v8().setFlagsFromString(`--heap-growing-percent=${isSmall ? GROWTH_PERCENT : 0}`)
}
