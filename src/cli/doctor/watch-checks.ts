import type { Check } from '../../doctor/check.ts'
import type { Checked } from '../../doctor/run-checks.ts'
import { printable } from '../../text/printable.ts'
import { formatChecked, HEADS } from './format-doctor.ts'

/**
 * Runs checks before the eyes of whoever sits at the terminal: a list on stderr that goes away at the end.
 *
 * @param run tells each result when it is there
 */
export async function watchChecks<Context>(
  checks: readonly Check<Context>[],
  run: (onChecked: (checked: Checked<Context>) => void) => Promise<Checked<Context>[]>,
): Promise<Checked<Context>[]> {
  // Slow to load, and of no use where nobody watches.
  const { Listr, ListrLogger, ProcessOutput } = await import('listr2')
  const waiting = new Map(checks.map((check) => [check, Promise.withResolvers<Checked<Context>>()]))
  const running = run((checked) => waiting.get(checked.check)?.resolve(checked))
  const logger = new ListrLogger({ processOutput: new ProcessOutput(process.stderr, process.stderr) })
  const groups = Map.groupBy(checks, ({ group }) => group)
  const list = new Listr(
    [...groups].map(([group, members]) => ({
      title: HEADS[group],
      task: (_, parent) =>
        parent.newListr(
          members.map((check) => ({
            title: check.title,
            async task(_context, task) {
              const [line] = formatChecked(await waiting.get(check)!.promise)
              task.title = printable(line!)
            },
          })),
          { concurrent: true },
        ),
    })),
    {
      concurrent: true,
      renderer: 'default',
      // What has scrolled away could not be erased.
      rendererOptions: { logger, clearOutput: true, showSubtasks: fits(checks.length + groups.size) },
      // listr2 would end the process with 127 on Ctrl-C.
      registerSignalListeners: false,
    },
  )
  const [results] = await Promise.all([running, list.run()])
  return results
}

function fits(lines: number): boolean {
  return lines + 2 < (process.stderr.rows ?? 0)
}
