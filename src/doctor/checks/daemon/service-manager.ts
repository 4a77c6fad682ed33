import { ConnectError } from '../../../errors.ts'
import { uninstallCommand, type PluginProblem } from '../../../plugins/plugin-problem.ts'
import { isUnused } from '../../../tasks/machine/is-unused.ts'
import type { Check, Finding } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'
import { listed } from '../../listed.ts'

/** What keeps the daemon, and the first thing that is in its way. */
export const serviceManager: Check<DoctorContext> = {
  name: 'service-manager',
  group: 'daemon',
  title: 'What keeps it',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { instance, env } = context
    const { description, problems, forInstall } = await context.choosing.catch(factsFirst)
    if (problems.length > 0) return pluginsFailed(problems)
    if (description.name === 'background') return await inBackground(context, forInstall)
    const { name, summary } = description
    const probe = await description.probe({ instance, env })
    if (probe.available)
      return { state: 'ok', seen: summary.startsWith(name) ? summary : `${name}, ${summary}` }
    return {
      state: 'failed',
      seen: `${name} can’t keep it: ${probe.reason}`,
      fix: 'Until that is so again: connect up --foreground',
    }
  },
}

/** What can be done comes last among the hints of such an error: before it stands what there is. */
function factsFirst(thrown: unknown): never {
  if (!(thrown instanceof ConnectError)) throw thrown
  const facts = thrown.hints.slice(0, -1)
  const message = [thrown.message, ...facts].join('. ')
  throw new ConnectError(thrown.code, message, { cause: thrown, hints: thrown.hints.slice(-1) })
}

function pluginsFailed(problems: readonly PluginProblem[]): Finding {
  const seen = problems.map(({ plugin, what }) => (plugin === undefined ? what : `Plugin ${plugin} ${what}`))
  const known = problems.flatMap(({ plugin }) => plugin ?? [])
  const fix = known[0] === undefined ? 'See: connect plugins' : `Remove it: ${uninstallCommand(known[0])}`
  return { state: 'warning', seen: listed(seen), fix }
}

/** Behind it a reason says what helps. */
const RUN = '. Run: '

/** Where nothing is installed: what could be. */
async function inBackground(
  context: DoctorContext,
  forInstall: () => Promise<{ description: { name: string }; reasons: readonly string[] }>,
): Promise<Finding> {
  const { description, reasons } = await forInstall()
  if (description.name !== 'background')
    return { state: 'ok', seen: `Nothing yet; ${description.name} would: connect daemon install` }
  const why = reasons.length === 0 ? '' : ` (${reasons.map((reason) => reason.split(RUN)[0]).join('; ')})`
  const isRunning = (await context.daemon()).state === 'running'
  if (!isRunning && isUnused(context.instance))
    return { state: 'skipped', seen: `It has nothing to do; no service manager could${why}` }
  const command = reasons.map((reason) => reason.split(RUN)[1]).find((one) => one !== undefined)
  if (command !== undefined)
    return { state: 'warning', seen: `No service manager can${why}`, fix: `Run: ${command}` }
  if (isRunning)
    return {
      state: 'warning',
      seen: `No service manager can${why}: it runs until the next reboot`,
      fix: 'A plugin can bring another, such as runit or s6: see docs/platform-plugins.md',
    }
  return {
    state: 'warning',
    seen: `No service manager can${why}`,
    fix: 'In the background it runs until the next reboot: connect daemon start',
  }
}
