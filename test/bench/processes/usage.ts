import { existsSync, readFileSync, readdirSync, writeFileSync } from 'node:fs'

/** Linux counts CPU time in hundredths of a second, whatever the kernel's own tick is. */
const TICKS_PER_SECOND = 100

/** Whether this system tells what processes use. */
export const canTellUsage = existsSync('/proc/self/task')

/** A process and all that came of it. */
export function processTree(pid: number): number[] {
  const children = readIfThere(`/proc/${pid}/task/${pid}/children`) ?? ''
  return [pid, ...children.split(' ').filter(Boolean).map(Number).flatMap(processTree)]
}

/** CPU seconds of these processes and all that came of them, also of those that have ended. */
export function cpuSeconds(roots: readonly number[]): number {
  const ticks = roots.flatMap(processTree).map((pid) => {
    const stat = readIfThere(`/proc/${pid}/stat`)
    // The name in brackets may hold anything, so counting begins behind it; then come utime, stime, cutime,
    // cstime.
    const fields = stat?.slice(stat.lastIndexOf(')') + 2).split(' ') ?? []
    return fields.slice(11, 15).reduce((sum, field) => sum + Number(field), 0)
  })
  return ticks.reduce((sum, count) => sum + count, 0) / TICKS_PER_SECOND
}

/** The same to the microsecond, of these processes alone and of their threads that are there. */
export function exactCpuSeconds(pids: readonly number[]): number {
  const nanoseconds = pids
    .flatMap((pid) =>
      readdirSync(`/proc/${pid}/task`).map((thread) => `/proc/${pid}/task/${thread}/schedstat`),
    )
    // Documentation/scheduler/sched-stats.rst: the time on the CPU is first.
    .map((file) => Number(readIfThere(file)?.split(' ', 1)[0] ?? 0))
  return nanoseconds.reduce((sum, count) => sum + count, 0) / 1e9
}

/** Has the peak of a process's memory begin anew (proc(5), clear_refs). */
export function forgetPeak(pid: number): void {
  writeFileSync(`/proc/${pid}/clear_refs`, '5')
}

/** The most bytes that were there for a process since then. */
export function peakBytes(pid: number): number {
  return 1024 * Number(/^VmHWM:\s+(\d+) kB$/m.exec(readIfThere(`/proc/${pid}/status`) ?? '')?.[1] ?? 0)
}

/** Bytes of memory that are there for these processes and all that came of them. */
export function residentBytes(roots: readonly number[]): number {
  return sumOfBytes(roots, 'status', /^VmRSS:\s+(\d+) kB$/m)
}

/** The same, but of what several processes share, whichever they are, each counts its part (proc(5)). */
export function proportionalBytes(roots: readonly number[]): number {
  return sumOfBytes(roots, 'smaps_rollup', /^Pss:\s+(\d+) kB$/m)
}

function sumOfBytes(roots: readonly number[], file: string, line: RegExp): number {
  const kilobytes = roots
    .flatMap(processTree)
    .map((pid) => Number(line.exec(readIfThere(`/proc/${pid}/${file}`) ?? '')?.[1] ?? 0))
  return kilobytes.reduce((sum, count) => sum + count, 0) * 1024
}

export interface Residency {
  /** What is there for it. */
  readonly rss: number
  /** The same, with its share only of what others have too. */
  readonly pss: number
}

/** Bytes of memory of these processes. */
export function residencyOf(pids: readonly number[]): Residency {
  const rollups = pids.map((pid) => readIfThere(`/proc/${pid}/smaps_rollup`) ?? '')
  const sumOf = (field: string) => {
    const pattern = new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm')
    return rollups.reduce((sum, text) => sum + Number(pattern.exec(text)?.[1] ?? 0), 0) * 1024
  }
  return { rss: sumOf('Rss'), pss: sumOf('Pss') }
}

/** @returns undefined if the process has ended meanwhile */
function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
