// @ts-check
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

const FIELDS = 'up,wantedup,pid,updownfor,updownsince,readysince'

/**
 * What s6 says of a service folder; `unwatched` if no s6-supervise looks after it, `unknown` if its answer
 * can't be read, which must not pass for "stopped".
 *
 * @typedef {{
 *   readonly state: 'running' | 'restarting' | 'stopping' | 'stopped' | 'unwatched' | 'unknown'
 *   readonly pid?: number
 *   readonly startedAt?: string
 *   readonly answer: string
 * }} Seen
 */

/**
 * Runs a program of s6, without a shell and with a deadline.
 *
 * @param {'s6-svc' | 's6-svscanctl' | 's6-svstat'} program
 * @param {string[]} args
 * @returns {Promise<{ readonly code: number; readonly answer: string }>} its exit code, and what it says
 */
export function s6(program, ...args) {
  return new Promise((resolve, reject) => {
    execFile(program, args, { timeout: 20_000 }, (error, stdout, stderr) => {
      const code = error === null ? 0 : error.code
      if (error !== null && typeof code !== 'number') reject(fail(`${program} failed: ${error.message}`))
      else resolve({ code: Number(code), answer: `${stdout}${stderr}`.trim() })
    })
  })
}

/**
 * @param {string} folder the service folder
 * @returns {Promise<Seen>}
 */
export async function look(folder) {
  const { code, answer } = await s6('s6-svstat', '-o', FIELDS, folder)
  // See s6-svstat(1).
  if (code === 1) return { state: 'unwatched', answer }
  const [up, wanted, pid, seconds, since = '', readySince = ''] = answer.split(' ')
  if (code !== 0 || readySince === '') return { state: 'unknown', answer }
  if (up === 'true') {
    const startedAt = new Date(Date.now() - Number(seconds) * 1000).toISOString()
    return { state: wanted === 'true' ? 'running' : 'stopping', pid: Number(pid), startedAt, answer }
  }
  if (wanted === 'true') return { state: 'restarting', answer }
  // It is down, but only after its `finish` has ended it is ready to be started. These times sort as text.
  return { state: readySince >= since ? 'stopped' : 'stopping', answer }
}

/**
 * @param {() => Promise<boolean>} isDone
 * @param {number} timeoutMs
 * @returns {Promise<boolean>} whether it came to that in time
 */
export async function waitFor(isDone, timeoutMs) {
  const deadline = Date.now() + timeoutMs
  for (;;) {
    if (await isDone()) return true
    if (Date.now() >= deadline) return false
    await sleep(100)
  }
}

/**
 * @param {string} message
 * @param {string[]} hints what to do about it
 */
export function fail(message, ...hints) {
  return Object.assign(new Error(message), hints.length > 0 && { hints })
}
