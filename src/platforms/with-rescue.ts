import type { Step } from './platform.ts'

/**
 * Steps one of which may fail: then what `rescue` makes of the error is thrown, once it has put things right.
 */
export function withRescue(steps: readonly Step[], rescue: (error: unknown) => unknown): readonly Step[] {
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
