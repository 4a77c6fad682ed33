import { readdirSync, readFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'

/**
 * Ends what is left of a group whose leader is gone, by SIGKILL: the children of a process that was started
 * in a session of its own. The group's number is not given to another process while a member lives (fork(2));
 * a leader that lives now is a stranger that came to the number since.
 *
 * @returns how many were sent it: they may live for another moment
 */
export function killOrphans(leader: number): number {
  const members = process.platform === 'linux' ? membersFromProc(leader) : membersFromPs(leader)
  if (members.includes(leader)) return 0
  let killed = 0
  for (const pid of members) {
    try {
      process.kill(pid, 'SIGKILL')
      killed++
    } catch (error) {
      // ESRCH: it has ended by itself. EPERM: it runs as another user, so it is not ours to end.
      if (!['ESRCH', 'EPERM'].includes(codeOf(error) ?? '')) throw error
    }
  }
  return killed
}

/** proc(5): field 3 of /proc/PID/stat is the state and field 5 the group, counted after the last `)`. */
function membersFromProc(group: number): number[] {
  return readdirSync('/proc').flatMap((entry) => {
    if (!/^\d+$/.test(entry)) return []
    try {
      const stat = readFileSync(`/proc/${entry}/stat`, 'latin1')
      const [state, , pgrp] = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
      return Number(pgrp) === group && state !== 'Z' && state !== 'X' ? [Number(entry)] : []
    } catch {
      // The process ended meanwhile, or /proc hides it because it is another user's.
      return []
    }
  })
}

function membersFromPs(group: number): number[] {
  const { execFileSync } = process.getBuiltinModule('node:child_process')
  const output = execFileSync('ps', ['-axo', 'pid=,pgid=,stat='], {
    encoding: 'utf8',
    env: { ...process.env, LC_ALL: 'C' },
    timeout: 5000,
  })
  return output.split('\n').flatMap((line) => {
    const [pid, pgid, state = 'Z'] = line.trim().split(/\s+/)
    return Number(pgid) === group && !state.startsWith('Z') ? [Number(pid)] : []
  })
}
