import { readFileSync, watch } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setImmediate as turn, setTimeout as sleep } from 'node:timers/promises'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { Home } from '../../helpers/home.ts'
import type { Random } from './random.ts'

/** When to kill: after a time, or as soon as something happens to a file. */
export type Moment = { readonly afterMs: number } | { readonly touched: RegExp }

const FILES = [
  /^config\.json\..*tmp$/,
  /^config\.json$/,
  /^services\.json\..*tmp$/,
  /^services\.json$/,
  /^agent\.json\..*tmp$/,
  /^agent\.json$/,
  /^daemon\.pid\..*tmp$/,
  /^daemon\.pid$/,
  /^agent\.sock$/,
  /^daemon\.log$/,
] as const

/** @param durationMs how long the action takes that is to be cut short */
export function someMoment(random: Random, durationMs: number): Moment {
  return random.chance(0.3) ? { touched: random.pick(FILES) } : { afterMs: random.fraction() * durationMs }
}

/**
 * Kills at that moment, unless the action is over by then.
 *
 * @param over settles when the action is over
 */
export async function killAt(
  home: Home,
  moment: Moment,
  over: Promise<unknown>,
  kill: () => void,
): Promise<void> {
  if ('afterMs' in moment) {
    const at = performance.now() + moment.afterMs
    await Promise.race([sleep(Math.floor(moment.afterMs)), over])
    // Timers count whole milliseconds.
    while (performance.now() < at && at - performance.now() < 1) await turn()
    kill()
    return
  }
  const watcher = watch(path.dirname(home.file('config.json')), (_, name) => {
    if (name !== null && moment.touched.test(name)) kill()
  })
  await over
  watcher.close()
}

/** Waits for the first child of a process. @returns undefined if the process ends without one */
export async function childOf(pid: number, over: Promise<unknown>): Promise<number | undefined> {
  const ended = new AbortController()
  void over.then(() => ended.abort())
  return waitFor(() => childrenOf(pid)[0], { timeoutMs: 60_000, everyMs: 1, signal: ended.signal })
}

/** proc(5): /proc/PID/task/TID/children. */
function childrenOf(pid: number): number[] {
  try {
    return readFileSync(`/proc/${pid}/task/${pid}/children`, 'latin1').split(' ').filter(Boolean).map(Number)
  } catch {
    // It has ended.
    return []
  }
}
