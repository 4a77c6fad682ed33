// @ts-check
import { execFile } from 'node:child_process'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * What runit says of a service folder; `unwatched` if no runsv looks after it, `unknown` if its answer can't
 * be read, which must not pass for "stopped".
 *
 * @typedef {{
 *   readonly state: 'running' | 'restarting' | 'stopping' | 'stopped' | 'unwatched' | 'unknown'
 *   readonly pid?: number
 *   readonly startedAt?: string
 *   readonly answer: string
 * }} Seen
 */

/**
 * Runs sv(8), without a shell and with a deadline.
 *
 * @param {string[]} args
 * @returns {Promise<string>} what it says; its exit code says no more than that
 */
export function sv(...args) {
  return new Promise((resolve, reject) => {
    execFile('sv', args, { timeout: 20_000 }, (error, stdout) => {
      if (error && stdout === '') reject(fail(`sv failed: ${error.message}`))
      else resolve(stdout.trim())
    })
  })
}

/**
 * @param {string} folder the service folder
 * @returns {Promise<Seen>}
 */
export async function look(folder) {
  const answer = await sv('status', folder)
  const [what, rest = ''] = answer.split(`: ${folder}: `)
  const [, pid, seconds] = /^\(pid (\d+)\) (\d+)s/.exec(rest) ?? []
  if (what === 'run' && pid !== undefined) {
    const startedAt = new Date(Date.now() - Number(seconds) * 1000).toISOString()
    const state = rest.includes(', want down') ? 'stopping' : 'running'
    return { state, pid: Number(pid), startedAt, answer }
  }
  if (what === 'finish') return { state: rest.includes(', want down') ? 'stopping' : 'restarting', answer }
  if (what === 'down') return { state: rest.includes(', want up') ? 'restarting' : 'stopped', answer }
  const isUnwatched = /^(?:runsv not running|unable to open supervise\/ok: file does not exist)/.test(rest)
  return { state: isUnwatched ? 'unwatched' : 'unknown', answer }
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
