import type { Check } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

/** One agent works at a time; another only waits for its lock, or keeps the service from having it. */
export const duplicates: Check<DoctorContext> = {
  name: 'duplicates',
  group: 'daemon',
  title: 'Only one',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { state, pid, background, foregroundPid, installed, doubled } = await context.daemon()
    const fix = 'Leave one: connect daemon restart'
    if (doubled !== undefined) return { state: 'warning', seen: doubled, fix }
    const { description } = await context.chosen()
    if (background?.state === 'running' && description.name !== 'background')
      return {
        state: 'warning',
        seen: `An agent runs in the background (PID: ${background.agent.pid}), beside what ${description.name} keeps`,
        fix,
      }
    if (foregroundPid !== undefined && (state === 'running' || state === 'restarting') && installed)
      return {
        state: 'warning',
        seen: `An agent runs in a terminal (PID: ${foregroundPid}), and the daemon waits for it (PID: ${pid})`,
        fix: 'End the one in the terminal with Ctrl-C',
      }
    return state === 'stopped' && foregroundPid === undefined
      ? { state: 'skipped', seen: 'No agent runs' }
      : { state: 'ok', seen: 'There is no other agent of this instance' }
  },
}
