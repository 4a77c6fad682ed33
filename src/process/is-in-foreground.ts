import { readFileSync } from 'node:fs'

/** Whether this process is in the foreground of a terminal: what is typed there comes to its whole group. */
export function isInForeground(): boolean {
  const [group, foreground] = process.platform === 'linux' ? groupsFromProc() : groupsFromPs()
  return group === foreground
}

/** proc(5): field 5 of /proc/PID/stat is the group, and field 8 that in the terminal's foreground, or -1. */
function groupsFromProc(): (string | undefined)[] {
  const stat = readFileSync('/proc/self/stat', 'latin1')
  const [, , group, , , foreground] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
  return [group, foreground]
}

function groupsFromPs(): (string | undefined)[] {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const args = ['-o', 'pgid=,tpgid=', '-p', String(process.pid)]
  return execFileSync('ps', args, { encoding: 'utf8', timeout: 5000 }).trim().split(/\s+/)
}
