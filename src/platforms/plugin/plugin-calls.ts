import type * as v from 'valibot'
import { printable } from '../../text/printable.ts'
import type { Action, PluginDescription, PluginPlatform, Stepless } from '../platform.ts'
import { callPlugin } from './call-plugin.ts'
import { ActionAnswer, SkippedAnswer } from './plugin-answers.ts'
import { pluginError } from './plugin-error.ts'
import { readGiven } from './read-given.ts'

/** What a plugin's description has loaded. */
export interface Brought extends Pick<PluginDescription, 'apiVersion' | 'name'> {
  readonly platform: PluginPlatform | Stepless
}

/**
 * Calls of a plugin's platform: what it throws is in words, an answer is of the right shape, and one
 * comes in time.
 */
export class PluginCalls {
  readonly #brought: Brought
  readonly #timeoutMs: number

  /** @param timeoutMs how long each answer and each step may take */
  constructor(brought: Brought, timeoutMs: number) {
    this.#brought = brought
    this.#timeoutMs = timeoutMs
  }

  /** An action. Of a platform that tells no steps, all of the action is one step. */
  action<T>(
    { method, title, answer }: { method: Method; title: string; answer: v.GenericSchema<unknown, T> },
    inSteps: (platform: PluginPlatform) => unknown,
    atOnce: (platform: Stepless) => unknown,
  ): Action<T> {
    const { apiVersion, platform } = this.#brought
    this.#mustHave(method)
    if (apiVersion === 1) {
      let given: T
      const run = async () =>
        void (given = await this.ask(method, answer, () => atOnce(platform as Stepless)))
      return { steps: [{ title, run }], result: () => given }
    }
    const given = this.#guarded(() => inSteps(platform as PluginPlatform))
    this.#checked(method, ActionAnswer, given)
    const action = given as Action<unknown>
    return {
      steps: action.steps.map((step) => ({
        title: printable(step.title),
        ...(step.waitMs !== undefined && { waitMs: step.waitMs }),
        run: () => this.ask(method, SkippedAnswer, () => step.run()),
      })),
      result: () =>
        this.#checked(
          method,
          answer,
          this.#guarded(() => action.result()),
        ),
    }
  }

  /** One call, held to its time and to the shape of its answer. */
  async ask<T>(
    method: Method,
    answer: v.GenericSchema<unknown, T>,
    call: (platform: Brought['platform']) => unknown,
  ): Promise<T> {
    this.#mustHave(method)
    const seconds = this.#timeoutMs / 1000
    const tooLate = () => this.#failure(method, `gave no answer within ${seconds} s`)
    let given: unknown
    try {
      given = await callPlugin(() => call(this.#brought.platform), this.#timeoutMs, tooLate)
    } catch (error) {
      throw this.error(error)
    }
    return this.#checked(method, answer, given)
  }

  #guarded(call: () => unknown): unknown {
    try {
      return call()
    } catch (error) {
      throw this.error(error)
    }
  }

  #checked<T>(method: Method, answer: v.GenericSchema<unknown, T>, given: unknown): T {
    const read = readGiven(answer, given)
    if ('output' in read) return read.output
    throw this.#failure(method, `gave an answer that can’t be read (${read.why})`)
  }

  #mustHave(method: Method): void {
    if (typeof this.#brought.platform[method] !== 'function') throw this.#failure(method, 'is missing')
  }

  #failure(method: Method, why: string): Error {
    return this.error(new Error(`${method}() ${why}`))
  }

  /** What was thrown, in words for the user. */
  error(thrown: unknown): Error {
    return pluginError(this.#brought.name, thrown)
  }
}

type Method = keyof Stepless
