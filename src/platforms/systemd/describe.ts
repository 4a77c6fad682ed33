import { signalName } from '../../process/signal-name.ts'
import { tilde } from '../../text/tilde.ts'
import type { PlatformStatus } from '../platform.ts'
import type { UnitState } from './state.ts'

/** systemd.exec(5), "Process Exit Codes": what systemd itself could not do. */
const EXEC_FAILURES: Readonly<Record<number, string>> = {
  200: 'the folder to run it in is missing',
  203: 'the program is missing, or can’t be run',
  209: 'the log can’t be opened',
  217: 'the user is not known',
  226: 'the sandbox can’t be set up',
}

/** What the manager says of a unit, in our words. */
export function stateOf(unit: UnitState): Pick<PlatformStatus, 'state' | 'reason'> {
  const { active, sub, restarts } = unit
  if (active === 'active' || active === 'reloading') return { state: 'running' }
  if (active === 'deactivating') return { state: 'stopping' }
  if (active === 'inactive') return { state: 'stopped' }
  if (active === 'failed') {
    const reason = unit.result === 'timeout' ? undefined : `It stays down: ${describeEnd(unit)}`
    return { state: 'stopped', ...(reason !== undefined && { reason }) }
  }
  if (active !== 'activating') return { state: 'unknown', reason: `systemd says: ${active} (${sub})` }
  if (sub !== 'auto-restart') return { state: 'starting' }
  // The first end is counted once its restart begins.
  const times =
    restarts === 0 ? '' : `, started again ${restarts === 1 ? 'once' : `${restarts} times`} so far`
  return {
    state: 'restarting',
    reason: `It ended, and is started again after 10 s: ${describeEnd(unit)}${times}`,
  }
}

/** A sentence for each thing that stands in the way, or that someone has changed. */
export function notesOf({ load, file, dropIns, isOutdated }: UnitState): string[] {
  const notes: string[] = []
  if (load === 'masked') notes.push('The unit is masked: it can’t be started')
  else if (load === 'bad-setting' || load === 'error')
    notes.push('systemd can’t read the unit. Run: connect daemon install')
  else if (load === 'not-found') notes.push('The unit’s file is gone. Run: connect daemon install')
  else if (file !== 'enabled')
    notes.push('It does not start by itself: the unit is disabled. Run: connect daemon install')
  if (isOutdated) notes.push('The unit was changed and not read since. Run: connect daemon restart')
  for (const dropIn of dropIns) notes.push(`Settings of your own apply: ${tilde(dropIn)}`)
  return notes
}

/** @returns `Process exited with code 1` and the like */
export function describeEnd({ exit, result, active, sub }: UnitState): string {
  if (exit?.by === 'code') {
    const failure = EXEC_FAILURES[exit.number]
    if (failure !== undefined) return `systemd could not run it (exit code ${exit.number}): ${failure}`
    return `Process exited with code ${exit.number}`
  }
  if (exit) return `Process was ended by ${signalName(exit.number)}`
  return result === 'success' ? `it is ${active} (${sub})` : `systemd says: ${result}`
}
