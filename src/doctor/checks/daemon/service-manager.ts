import { uninstallCommand, type PluginProblem } from '../../../plugins/plugin-problem.ts'
import type { Check, Finding } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'
import { listed } from '../../listed.ts'
import { told } from '../../told.ts'

/** What keeps the daemon, and the first thing that is in its way. */
export const serviceManager: Check<DoctorContext> = {
  name: 'service-manager',
  group: 'daemon',
  title: 'What keeps it',
  timeoutMs: PLATFORM_MS,
  run: ({ choosing, instance, env }) =>
    told(async () => {
      const { description, problems, forInstall } = await choosing
      if (problems.length > 0) return pluginsFailed(problems)
      if (description.name === 'background') return await inBackground(forInstall)
      const { name, summary } = description
      const probe = await description.probe({ instance, env })
      if (probe.available) return { state: 'ok', seen: `${name}, ${summary}` }
      return {
        state: 'failed',
        seen: `${name} can’t keep it: ${probe.reason}`,
        fix: 'Until that is so again: connect up --foreground',
      }
    }),
}

function pluginsFailed(problems: readonly PluginProblem[]): Finding {
  const seen = problems.map(({ plugin, what }) => (plugin === undefined ? what : `Plugin ${plugin} ${what}`))
  const known = problems.flatMap(({ plugin }) => plugin ?? [])
  const fix = known[0] === undefined ? 'See: connect plugins' : `Remove it: ${uninstallCommand(known[0])}`
  return { state: 'warning', seen: listed(seen), fix }
}

/** Where nothing is installed: what could be. */
async function inBackground(
  forInstall: () => Promise<{ description: { name: string }; reasons: readonly string[] }>,
): Promise<Finding> {
  const { description, reasons } = await forInstall()
  if (description.name !== 'background')
    return { state: 'ok', seen: `Nothing yet; ${description.name} would: connect daemon install` }
  const why = reasons.length === 0 ? '' : ` (${reasons.join('; ')})`
  return {
    state: 'warning',
    seen: `No service manager can${why}`,
    fix: 'In the background it runs until the next reboot: connect daemon start',
  }
}
