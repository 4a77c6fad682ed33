import type { Instance } from '../../config/instance.ts'
import { clearStale } from '../../control/process-end.ts'
import { processElsewhere, findProcess } from '../../control/find-process.ts'
import type { PlatformStatus, StatusOptions } from '../platform.ts'

/** A background process is not there after a reboot, and nobody starts it again. */
const NEVER = { installed: false, autostart: 'never' } as const

/** What the agent's own files say, and the process that they name. */
export async function processStatus(
  instance: Instance,
  { lookOnly = false }: StatusOptions = {},
): Promise<PlatformStatus> {
  const found = await findProcess(instance)
  if (found.state === 'unknown')
    return {
      ...NEVER,
      state: 'unknown',
      reason: [found.reason, ...processElsewhere(instance, found.reason).hints].join('. '),
      background: found,
    }
  if (found.state === 'stale')
    return { ...NEVER, state: 'stopped', cleanedUp: !lookOnly && (await clearStale(instance)) }
  if (found.state === 'none') return { ...NEVER, state: 'stopped' }
  const { pid, startedAt, mode } = found.agent
  if (mode === 'foreground') return { ...NEVER, state: 'stopped', foregroundPid: pid }
  return { ...NEVER, state: 'running', pid, startedAt, background: found }
}
