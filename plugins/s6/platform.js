// @ts-check
import { existsSync } from 'node:fs'
import path from 'node:path'
import { bootHint, isWatched, unwatched, watcherOf } from './scandir.js'
import { rollingBack, withRescue } from './rollback.js'
import { changeOf, makeFolder, scriptsFor } from './service-folder.js'
import { startSteps } from './start.js'
import { startsOnBoot } from './starts-on-boot.js'
import { keepDown, removeFolder, stopSteps } from './stop.js'
import { fail, look, s6, waitFor } from './s6.js'

/** @import { Action, Daemon, Installed, InstallPlan, PlatformContext } from 'private-connect/platform' */
/** @import { PlatformStatus, PluginPlatform, Started, StartOptions, Step } from 'private-connect/platform' */

/**
 * What s6 is to look after: a service folder, and how to have s6-svscan watch the folder that it is in, on
 * boot too.
 *
 * @typedef {{
 *   readonly folder: string
 *   readonly kind: 'agent' | 'hub'
 *   readonly unwatched: { readonly why: string; readonly hint: string }
 *   readonly bootHint: string
 * }} Service
 */

/** @implements {PluginPlatform} */
export class S6Platform {
  /** @type {Service} */
  #service

  /**
   * @param {string} folder
   * @param {PlatformContext} context
   */
  constructor(folder, { instance, env }) {
    const services = path.dirname(folder)
    const hints = { unwatched: unwatched(services, env), bootHint: bootHint(services, env) }
    this.#service = { folder, kind: instance.kind, ...hints }
  }

  /**
   * @param {Daemon} daemon
   * @returns {Promise<InstallPlan>}
   */
  async plan(daemon) {
    const { folder } = this.#service
    const scripts = scriptsFor(daemon)
    return {
      change: changeOf(folder, scripts),
      files: Object.entries(scripts).map(([name, content]) => ({ file: path.join(folder, name), content })),
      commands: [
        ['s6-svscanctl', '-a', path.dirname(folder)],
        ['s6-svc', '-u', folder],
      ],
    }
  }

  /**
   * @param {Daemon} daemon
   * @param {StartOptions} options
   * @returns {Action<Installed>}
   */
  install(daemon, options) {
    const { folder } = this.#service
    const scripts = scriptsFor(daemon)
    const change = changeOf(folder, scripts)
    const start = startSteps(this.#service, scripts, options)
    /** @type {Started | undefined} */
    let running
    const lookFirst = {
      title: 'Look whether it runs',
      run: async () => {
        const { state, pid = 0 } = await look(folder)
        if (state === 'running') running = { pid, ready: await options.isReady(pid) }
      },
    }
    const unlessItRuns = start.steps.map((step) => ({
      ...step,
      run: async () => (running ? { skipped: 'it runs' } : step.run()),
    }))
    const steps = {
      created: () =>
        withRescue([...this.#make(daemon), ...start.steps], async (error) => {
          await removeFolder(folder)
          return error
        }),
      updated: () => rollingBack(this.#service, [...stopSteps(folder).steps, ...start.steps], options),
      unchanged: () => [lookFirst, ...rollingBack(this.#service, unlessItRuns, options)],
    }
    return {
      steps: steps[change](),
      result: () => {
        const { autostart, bootHint } = this.#autostart()
        const warnings = bootHint === undefined ? [] : [bootHint]
        const file = path.join(folder, 'run')
        return { ...(running ?? start.result()), change, file, autostart, warnings }
      },
    }
  }

  /**
   * @param {Daemon} daemon
   * @returns {Step[]}
   */
  #make(daemon) {
    const { folder, unwatched } = this.#service
    const isSeen = async () => (await look(folder)).state !== 'unwatched'
    return [
      {
        title: 'Look for s6-svscan',
        run: async () => {
          if (!isWatched(path.dirname(folder))) throw fail(unwatched.why, unwatched.hint)
        },
      },
      { title: 'Write the service folder', run: () => makeFolder(folder, daemon) },
      {
        title: 'Have s6-svscan look after it',
        run: async () => {
          await s6('s6-svscanctl', '-a', path.dirname(folder))
          if (!(await waitFor(isSeen, 5000))) throw fail(unwatched.why, unwatched.hint)
        },
      },
    ]
  }

  /** @returns {Action<boolean>} */
  uninstall() {
    const { folder } = this.#service
    if (!existsSync(folder)) return { steps: [], result: () => false }
    const remove = { title: 'Remove the service folder', run: () => removeFolder(folder) }
    return { steps: [...stopSteps(folder).steps, remove], result: () => true }
  }

  /**
   * @param {Daemon} daemon
   * @param {StartOptions} options
   * @returns {Action<Started>}
   */
  start(daemon, options) {
    return startSteps(this.#service, scriptsFor(daemon), options)
  }

  /**
   * @param {PlatformStatus} found
   * @returns {Action<'exited' | 'killed' | undefined>}
   */
  stop(found) {
    const { folder } = this.#service
    if (!existsSync(folder)) return { steps: [], result: () => undefined }
    // Also one that is down is told to stay so: it may be about to be started again.
    const { steps, result } = stopSteps(folder)
    return {
      steps: [...steps, keepDown(folder)],
      result: () => (found.state === 'stopped' ? undefined : result()),
    }
  }

  /** @returns {Promise<PlatformStatus>} */
  async status() {
    const { folder, unwatched } = this.#service
    if (!existsSync(folder)) return { state: 'stopped', installed: false, autostart: 'never' }
    const known = { installed: true, ...this.#autostart() }
    const { state, answer, ...seen } = await look(folder)
    if (state === 'unknown') return { ...known, state, reason: answer }
    if (state !== 'unwatched') return { ...known, ...seen, state }
    return { ...known, state: 'stopped', reason: `${unwatched.why}. ${unwatched.hint}` }
  }

  /**
   * It starts with s6-svscan, and only one that is seen to come with the system is known to start on boot.
   *
   * @returns {Pick<PlatformStatus, 'autostart' | 'bootHint'>}
   */
  #autostart() {
    const { folder, bootHint } = this.#service
    if (existsSync(path.join(folder, 'down'))) return { autostart: 'never' }
    const watcher = watcherOf(path.dirname(folder))
    if (watcher !== undefined && startsOnBoot(watcher)) return { autostart: 'boot' }
    return { autostart: 'manager', bootHint }
  }
}
