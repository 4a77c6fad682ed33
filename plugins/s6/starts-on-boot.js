// @ts-check
import { readFileSync } from 'node:fs'

/** @typedef {{ readonly name: string; readonly parent: number; readonly user: number }} Process */

/** Programs that start others as it is written down for them; of root, they come with the system. */
const STARTERS = new Set(['runit', 'runsvdir', 'runsv', 's6-svscan', 's6-supervise', 'cron', 'crond'])

/**
 * Whether a process provably starts on boot: as process 1, which is what a container runs, or below nothing
 * but such programs of root's. To be a child of process 1 proves nothing: so is all whose parent has ended.
 *
 * @param {number} pid
 * @param {(pid: number) => Process | undefined} [look]
 * @returns {boolean} false also where it can't be known: without a /proc, or with one that hides processes
 */
export function startsOnBoot(pid, look = lookAt) {
  if (pid === 1) return true
  let parent = look(pid)?.parent
  if (parent === undefined || parent === 1) return false
  while (parent !== 1) {
    const ancestor = look(parent)
    if (ancestor === undefined || ancestor.user !== 0 || !STARTERS.has(ancestor.name)) return false
    parent = ancestor.parent
  }
  return true
}

/**
 * @param {number} pid
 * @returns {Process | undefined} what proc_pid_status(5) has
 */
function lookAt(pid) {
  try {
    const status = readFileSync(`/proc/${pid}/status`, 'utf8')
    const [, name = ''] = /^Name:\t(.*)$/m.exec(status) ?? []
    const [, parent] = /^PPid:\t(\d+)$/m.exec(status) ?? []
    const [, user] = /^Uid:\t(\d+)/m.exec(status) ?? []
    return { name, parent: Number(parent), user: Number(user) }
  } catch {
    // It has ended meanwhile, or we may not see it.
    return undefined
  }
}
