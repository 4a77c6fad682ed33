import { execFileSync } from 'node:child_process'
import { readFileSync } from 'node:fs'

/** Whether a process of one's own stands still by SIGSTOP, or for a debugger. @throws if there is none */
export function isStopped(pid: number): boolean {
  return /^t/i.test(process.platform === 'linux' ? stateFromProc(pid) : stateFromPs(pid))
}

/** proc(5): field 3 of /proc/PID/stat is the state, counted after the last `)`. */
function stateFromProc(pid: number): string {
  const stat = readFileSync(`/proc/${pid}/stat`, 'latin1')
  return stat.slice(stat.lastIndexOf(')') + 2)
}

function stateFromPs(pid: number): string {
  return execFileSync('ps', ['-o', 'stat=', '-p', String(pid)], { encoding: 'utf8', timeout: 5000 }).trim()
}
