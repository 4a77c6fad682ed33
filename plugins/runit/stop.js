// @ts-check
import { existsSync } from 'node:fs'
import { rename, rm, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { hidden } from './service-folder.js'
import { fail, look, sv, waitFor } from './sv.js'

/** @import { Action, Step } from 'private-connect/platform' */

/**
 * Has runsv end it.
 *
 * @param {string} folder
 * @returns {Action<'exited' | 'killed'>}
 */
export function stopSteps(folder) {
  // Not before its `finish` script has ended: the next start would take what that writes for its own end.
  const isDown = async () => ['stopped', 'unwatched'].includes((await look(folder)).state)
  let isGone = false
  return {
    steps: [
      {
        title: 'Send SIGTERM',
        run: async () => void (await sv('down', folder)),
      },
      {
        title: 'Wait up to 5 s for a clean exit',
        waitMs: 5000,
        run: async () => void (isGone = await waitFor(isDown, 5000)),
      },
      {
        title: 'Send SIGKILL',
        run: async () => {
          if (isGone) return { skipped: 'it has exited' }
          const answer = await sv('kill', folder)
          if (await waitFor(isDown, 5000)) return undefined
          throw Object.assign(new Error(`It does not stop: ${answer}`), { code: 'DAEMON_WONT_STOP' })
        },
      },
    ],
    result: () => (isGone ? 'exited' : 'killed'),
  }
}

/**
 * By the file `down` it is not started with runsvdir either, until it is asked for.
 *
 * @param {string} folder
 * @returns {Step}
 */
export function keepDown(folder) {
  return { title: 'Keep it down', run: () => writeFile(path.join(folder, 'down'), '') }
}

/**
 * Takes the service folder away from runsvdir, has the runsv that looks after it end, and removes it.
 *
 * @param {string} folder
 */
export async function removeFolder(folder) {
  const leaving = hidden(folder)
  if (existsSync(folder)) {
    await rm(leaving, { recursive: true, force: true })
    await rename(folder, leaving)
    const isLeft = async () => (await look(leaving)).state === 'unwatched'
    if (!(await isLeft())) await sv('exit', leaving)
    if (!(await waitFor(isLeft, 15_000))) throw fail(`runsv does not leave ${leaving}`)
  }
  await rm(leaving, { recursive: true, force: true })
}
