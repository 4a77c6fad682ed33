import { clearStale, noteSeenEnd, type SeenEnd } from '../../control/process-end.ts'
import type { InstanceProcess } from '../../control/process-record.ts'
import { findProcess } from '../../control/find-process.ts'
import { signalName } from '../../process/signal-name.ts'
import type { PlatformStatus, StatusOptions } from '../platform.ts'
import type { Installation } from './installation.ts'
import { isUp } from './manager/control.ts'
import { readLingering } from './manager/lingering.ts'
import { notesOf, stateOf, type UnitState } from './manager/state.ts'
import { NO_MANAGER } from './manager/systemctl.ts'

/** What the manager says of the unit, and beside it what an agent's own files say. */
export async function installationStatus(
  installation: Installation,
  { lookOnly = false }: StatusOptions = {},
): Promise<PlatformStatus> {
  const { instance, names, file, manager, control } = installation
  const found = await findProcess(instance)
  const agent = found.state === 'running' ? found.agent : undefined
  const unit = await control.readState()
  // Once the next process runs, systemd has forgotten how this one ended.
  if (unit && unit.pid === 0 && found.state === 'stale' && !lookOnly) {
    const end = lastEndOf(unit)
    if (end) await noteSeenEnd(instance, end.pid, end)
  }
  const known = {
    installed: file.isThere,
    autostart: await autostart(installation, unit),
    ...(agent?.mode === 'foreground' && { foregroundPid: agent.pid }),
    ...(found.state === 'running' &&
      (await isBeside(installation, unit, found.agent)) && { background: found }),
    ...(unit?.load === 'loaded' && { restarts: unit.restarts }),
  }
  if (unit && isUp(unit)) {
    return {
      ...known,
      ...stateOf(unit),
      ...(unit.pid !== 0 && { pid: unit.pid }),
      ...(agent && agent.pid === unit.pid && { startedAt: agent.startedAt }),
      notes: notesOf(unit, names),
    }
  }
  if (agent?.mode === 'daemon') {
    const { pid, startedAt } = agent
    const notes = [`It runs in the background and not as the service. Run: ${names.words.command} restart`]
    return { ...known, state: 'running', pid, startedAt, notes }
  }
  if (!unit && (await manager.isThere()))
    return { ...known, state: 'unknown', reason: 'systemctl --user gives no answer that can be read' }
  const cleanedUp = found.state === 'stale' && !lookOnly && (await clearStale(instance))
  return {
    ...known,
    ...(unit ? stateOf(unit) : { state: 'stopped', reason: NO_MANAGER }),
    // There is nothing to say of a unit that is not installed.
    notes: unit && known.installed ? notesOf(unit, names) : [],
    ...(cleanedUp && { cleanedUp }),
  }
}

/** Whether the agent runs as the daemon, and certainly not as the unit's process. */
async function isBeside(
  { manager }: Installation,
  unit: UnitState | undefined,
  { mode, pid }: InstanceProcess,
): Promise<boolean> {
  if (mode !== 'daemon') return false
  return unit ? unit.pid !== pid : !(await manager.isThere())
}

async function autostart(
  { file, manager }: Installation,
  unit: UnitState | undefined,
): Promise<PlatformStatus['autostart']> {
  const isEnabled = unit ? unit.file === 'enabled' : file.isEnabled
  if (!isEnabled || !file.isThere) return 'never'
  return (await readLingering(manager)) === 'on' ? 'boot' : 'login'
}

/** How the unit's last process ended, as systemd has seen it; undefined if it doesn't tell. */
function lastEndOf({
  exit,
  lastPid,
  endedAtUs,
}: UnitState): (SeenEnd & { readonly pid: number }) | undefined {
  if (!exit || lastPid === 0) return undefined
  const { by, number } = exit
  // Node's high-resolution clock is CLOCK_MONOTONIC.
  const agoMs = endedAtUs === 0 ? 0 : Number(process.hrtime.bigint() / 1000n - BigInt(endedAtUs)) / 1000
  const at = new Date(Date.now() - Math.max(0, agoMs))
  const end = by === 'code' ? { code: number, signal: null } : { code: null, signal: signalName(number) }
  return { pid: lastPid, ...end, at }
}
