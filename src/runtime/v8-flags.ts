/** A heap beyond this is left to V8's own judgement: it costs too much time, or memory; in bytes. */
const SMALL_HEAP = 64 * 1024 * 1024

const GIVE_BACK_AFTER_MS = 10 * 60_000

/** Flags of V8 are no interface, and one that is not known is complained about on stderr: these have it. */
const NEWEST_KNOWN = 26

const knowsFlags = Number.parseInt(process.versions.node, 10) <= NEWEST_KNOWN

/** Loaded by those who have flags to set: most commands have none, and start sooner. */
const v8 = () => process.getBuiltinModule('node:v8')

function setFlag(flag: string): void {
  if (knowsFlags) v8().setFlagsFromString(flag)
}

/**
 * Keeps the heap's young part at its first size, 1 MB; to be called before it has grown. A large one is
 * seldom full, and buffers that no one uses any more stay until all of the heap is searched for them: that
 * took a third of the processor's time (`npm run bench`).
 */
export function limitSemiSpace(): void {
  setFlag('--semi-space-growth-factor=1')
}

/**
 * Has an idle process give back memory only after ten minutes. V8 does it after 8 s (30 s in Node.js
 * 26), and forgets how the objects looked of which none is left, and with that the code that was
 * compiled for them (`node --trace-deopt`). When that is due, `collectGarbage` does it at once.
 */
export function delayMemoryReducer(): void {
  setFlag(`--gc-memory-reducer-start-delay-ms=${GIVE_BACK_AFTER_MS}`)
}

/**
 * Has functions optimised from now on, which bin/run.js has put off. What a start does often enough for that
 * is not done again, and the optimising compilers are 9 MB of Node.js's own program, which an idle process
 * then never loads. By their filters of functions' names: any other flag has V8 believe that a function that
 * it has looked at meanwhile is never to be optimised.
 */
export function allowOptimization(): void {
  for (const compiler of ['maglev', 'turbo']) setFlag(`--${compiler}-filter=*`)
}

/**
 * Sets how much the heap may grow before all of it is searched for garbage.
 *
 * @param percent of what is in use; 0: V8's own judgement
 */
export function setHeapGrowth(percent: number): void {
  setFlag(`--heap-growing-percent=${percent}`)
}

export function isHeapSmall(): boolean {
  return v8().getHeapStatistics().used_heap_size < SMALL_HEAP
}

/**
 * Collects all garbage of a small heap at once, which takes 20 ms; a large one would take seconds. Gives
 * back all memory that is free, which nothing else does, and has V8 forget as much as its memory reducer
 * would: the gigabyte after that takes a tenth more of the processor's time.
 */
export function collectGarbage(): void {
  if (!knowsFlags || !isHeapSmall()) return
  v8().setFlagsFromString('--expose-gc')
  const { runInNewContext } = process.getBuiltinModule('node:vm')
  const collect = runInNewContext('gc') as (how: { type: 'major'; flavor: 'last-resort' }) => void
  v8().setFlagsFromString('--no-expose-gc')
  collect({ type: 'major', flavor: 'last-resort' })
}
