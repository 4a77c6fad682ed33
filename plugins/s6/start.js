// @ts-check
import { existsSync, readFileSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import path from 'node:path'
import { writeScripts } from './service-folder.js'
import { fail, look, s6, waitFor } from './s6.js'

/** @import { Action, Started, StartOptions } from 'private-connect/platform' */
/** @import { Service } from './platform.js' */
/** @import { Scripts } from './service-folder.js' */

const WORDS = {
  agent: { subject: 'Daemon', install: 'connect daemon install' },
  hub: { subject: 'Hub', install: 'connect hub install' },
}

/**
 * Has s6-supervise start it, and looks whether it stays.
 *
 * @param {Service} service
 * @param {Scripts} scripts
 * @param {StartOptions} options
 * @returns {Action<Started>}
 */
export function startSteps({ folder, kind, unwatched }, scripts, { isReady, stableMs }) {
  const lastExit = path.join(folder, 'last-exit')
  const { subject, install } = WORDS[kind]
  let updated = false
  let answer = ''
  /** @type {number | undefined} */
  let pid
  let ready = false
  const hasEnded = () => existsSync(lastExit)
  return {
    steps: [
      {
        title: `Spawn the ${kind}`,
        run: async () => {
          if (!existsSync(folder)) throw fail('It is not installed', `Install it: ${install}`)
          const { state } = await look(folder)
          if (state === 'unwatched') throw fail(unwatched.why, unwatched.hint)
          // One that waits for its next start is not to wait for it.
          if (state !== 'stopped') await s6('s6-svc', '-d', folder)
          const isStopped = async () => (await look(folder)).state === 'stopped'
          if (!(await waitFor(isStopped, 5000))) throw fail(`It is ${state}, and does not end`)
          updated = await writeScripts(folder, scripts)
          for (const name of ['last-exit', 'down']) await rm(path.join(folder, name), { force: true })
          answer = (await s6('s6-svc', '-u', folder)).answer
        },
      },
      {
        title: `Wait up to ${stableMs / 1000} s for it to stabilise`,
        waitMs: stableMs,
        run: async () => {
          await waitFor(async () => {
            if (hasEnded()) return true
            pid = (await look(folder)).pid
            ready = pid !== undefined && (await isReady(pid))
            return ready
          }, stableMs)
        },
      },
      {
        title: 'Verify that it still runs',
        run: async () => {
          if (hasEnded()) {
            const message = `${subject} failed to start: Process ${howItEnded(lastExit)}`
            throw Object.assign(new Error(message), { code: 'DAEMON_FAILED' })
          }
          pid = (await look(folder)).pid
          if (pid === undefined) throw fail(`It did not start the ${kind}: ${answer}`)
        },
      },
    ],
    result: () => ({ pid: Number(pid), ready, ...(updated && { updated: path.join(folder, 'run') }) }),
  }
}

/** @param {string} lastExit what `finish` has written */
function howItEnded(lastExit) {
  const [code, signal] = readFileSync(lastExit, 'utf8').trim().split(' ')
  return code === '256' ? `was ended by signal ${signal}` : `exited with code ${code}`
}
