/** One step of an action, as a person watches it. */
export interface Step {
  readonly title: string
  /** @param retitle says more precisely what is being done, or was */
  run(retitle: (title: string) => void): Promise<void>
}

/**
 * Runs steps in order until one fails: as a moving list on a terminal, silently elsewhere. The list goes to stderr, so
 * that stdout holds results only, and goes away at the end: the results say it.
 *
 * @throws what the failed step threw
 */
export async function runSteps(steps: readonly Step[], options: { interactive: boolean }): Promise<void> {
  if (!options.interactive) {
    for (const step of steps) await step.run(() => {})
    return
  }
  // Loaded only here: it is of no use to a pipe, and slow to load.
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) })
  await new Listr(
    steps.map((step) => ({
      title: step.title,
      task: (_, task) => step.run((title) => (task.title = title)),
    })),
    {
      renderer: 'default',
      // The error itself is printed by the command, once.
      rendererOptions: { logger, showErrorMessage: false, collapseErrors: true, clearOutput: true },
      // It would end the process with 127 on Ctrl-C.
      registerSignalListeners: false,
    },
  ).run()
}
