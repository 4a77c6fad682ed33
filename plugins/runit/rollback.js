// @ts-check
import { writeFile } from 'node:fs/promises'
import path from 'node:path'
import { textOf, writeScripts } from './service-folder.js'
import { startSteps } from './start.js'
import { stopSteps } from './stop.js'
import { look } from './sv.js'

/** @import { Action, StartOptions, Step } from 'private-connect/platform' */
/** @import { Service } from './platform.js' */
/** @import { Scripts } from './service-folder.js' */

/** How long what ran before may take to be up again, in ms. */
const STABLE_MS = 3000

/**
 * How a service folder is before an installation changes it.
 *
 * @typedef {{ readonly scripts: Scripts; readonly isHeld: boolean; readonly ran: boolean }} Before
 */

/**
 * Steps that change a service folder: if one fails, it is put back as it was, and what ran before runs again.
 *
 * @param {Service} service
 * @param {readonly Step[]} steps
 * @param {StartOptions} options
 * @returns {Step[]}
 */
export function rollingBack(service, steps, options) {
  /** @type {Before} */
  let before
  const remember = {
    title: 'Remember what is there',
    run: async () => void (before = await readBefore(service.folder)),
  }
  const rescued = withRescue(steps, async (error) => {
    if (!(error instanceof Error)) return error
    const left = await putBack(service, before, options).catch(
      (/** @type {Error} */ failure) => `What was before could not be put back: ${failure.message}`,
    )
    const hints = 'hints' in error && Array.isArray(error.hints) ? error.hints : []
    return Object.assign(error, { hints: [...hints, left] })
  })
  return [remember, ...rescued]
}

/**
 * @param {string} folder
 * @returns {Promise<Before>}
 */
async function readBefore(folder) {
  const { state } = await look(folder)
  const found = ['run', 'finish'].flatMap((name) => {
    const text = textOf(folder, name)
    return text === undefined ? [] : [[name, text]]
  })
  return {
    scripts: Object.fromEntries(found),
    isHeld: textOf(folder, 'down') !== undefined,
    ran: state === 'running' || state === 'restarting',
  }
}

/**
 * @param {Service} service
 * @param {Before} before
 * @param {StartOptions} options
 * @returns {Promise<string>} how it is left, for the user
 */
async function putBack(service, { scripts, isHeld, ran }, { isReady }) {
  const { folder } = service
  await take(stopSteps(folder))
  await writeScripts(folder, scripts)
  if (!ran) {
    if (isHeld) await writeFile(path.join(folder, 'down'), '')
    return 'It is installed as before, and does not run now.'
  }
  const { pid } = await take(startSteps(service, scripts, { isReady, stableMs: STABLE_MS }))
  return `What ran before runs again (PID: ${pid}).`
}

/**
 * @template T
 * @param {Action<T>} action
 */
async function take({ steps, result }) {
  for (const step of steps) await step.run()
  return result()
}

/**
 * Steps one of which may fail: then what `rescue` makes of the error is thrown, once it has put things right.
 *
 * @param {readonly Step[]} steps
 * @param {(error: unknown) => Promise<unknown>} rescue
 * @returns {Step[]}
 */
export function withRescue(steps, rescue) {
  return steps.map((step) => ({
    ...step,
    run: async () => {
      try {
        return await step.run()
      } catch (error) {
        throw await rescue(error)
      }
    },
  }))
}
