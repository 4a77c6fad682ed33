import type { Step } from '../../platforms/platform.ts'

export type StepOutcome = 'done' | 'skipped' | 'failed'

export interface RunOptions {
  /** Someone watches: then the list moves. */
  readonly interactive: boolean
  /** Told what became of each step, and why it was skipped. */
  readonly onStep?: (title: string, outcome: StepOutcome, reason?: string) => void
}

/**
 * Runs steps in order until one fails: each is a task of one list. On a terminal the list moves, elsewhere it
 * is silent. The list goes to stderr, so that stdout holds results only, and goes away at the end: the
 * results tell what was done.
 *
 * @throws what the failed step threw
 */
export async function runSteps(steps: readonly Step[], options: RunOptions): Promise<void> {
  const { interactive, onStep = () => {} } = options
  // listr2 is slow to load, and of no use to a command that changes nothing.
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) })
  const list = new Listr(
    steps.map((step) => ({
      title: step.title,
      async task(_, task) {
        const counting = interactive ? countSeconds(step, (title) => (task.title = title)) : undefined
        let outcome: StepOutcome = 'failed'
        let skipped: string | undefined
        try {
          skipped = (await step.run())?.skipped
          outcome = skipped === undefined ? 'done' : 'skipped'
        } finally {
          clearInterval(counting)
          onStep(step.title, outcome, skipped)
        }
        task.title = step.title
        if (skipped !== undefined) task.skip(`${step.title} (${skipped})`)
      },
    })),
    {
      renderer: 'default',
      silentRendererCondition: !interactive,
      // The error itself is printed by the command, once.
      rendererOptions: { logger, showErrorMessage: false, collapseErrors: true, clearOutput: true },
      // listr2 would end the process with 127 on Ctrl-C.
      registerSignalListeners: false,
    },
  )
  await list.run()
}

/** Shows of a step that waits for how long it has done so. */
function countSeconds({ title, waitMs }: Step, retitle: (title: string) => void): NodeJS.Timeout | undefined {
  if (waitMs === undefined) return undefined
  let seconds = 0
  return setInterval(() => retitle(`${title} · ${++seconds} s`), 1000)
}
