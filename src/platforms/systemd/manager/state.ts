import { signalName } from '../../../process/signal-name.ts'
import { tilde } from '../../../text/tilde.ts'
import type { PlatformStatus } from '../../platform.ts'
import type { UnitNames } from './names.ts'
import type { UserManager } from './systemctl.ts'

const PROPERTIES = [
  'LoadState',
  'ActiveState',
  'SubState',
  'Result',
  'MainPID',
  'ExecMainCode',
  'ExecMainStatus',
  'ExecMainPID',
  'ExecMainExitTimestampMonotonic',
  'NRestarts',
  'UnitFileState',
  'FragmentPath',
  'DropInPaths',
  'NeedDaemonReload',
] as const

/** What the manager says of a unit, of the properties that org.freedesktop.systemd1(5) lists. */
export interface UnitState {
  /** `loaded`, `not-found`, `masked`, `bad-setting`, `error` */
  readonly load: string
  /** `active`, `inactive`, `failed`, `activating`, `deactivating`, … */
  readonly active: string
  /** `running`, `dead`, `auto-restart`, … */
  readonly sub: string
  /** `success`, `exit-code`, `signal`, … */
  readonly result: string
  /** 0 if there is none. */
  readonly pid: number
  /** The exit code of the last process, or the number of the signal that ended it. */
  readonly exit: { readonly by: 'code' | 'signal'; readonly number: number } | undefined
  /** Whose end that was, and when by CLOCK_MONOTONIC, in µs; each 0 if it is not told. */
  readonly lastPid: number
  readonly endedAtUs: number
  readonly restarts: number
  /** `enabled`, `disabled`, `masked`, or empty. */
  readonly file: string
  /** What else has a say on the unit. */
  readonly dropIns: readonly string[]
  /** The file has changed since the manager read it. */
  readonly isOutdated: boolean
}

/** @returns undefined if the manager gives no answer that can be read: then nothing is known */
export async function readUnitState(manager: UserManager, unit: string): Promise<UnitState | undefined> {
  const answer = await manager.ask('show', unit, `--property=${PROPERTIES.join(',')}`)
  return answer.outcome === 'exited' && answer.code === 0 ? parseUnitState(answer.stdout) : undefined
}

/** @returns undefined if a property is missing that decides, or makes no sense */
export function parseUnitState(text: string): UnitState | undefined {
  const values = new Map(text.split('\n').map((line) => splitAtEquals(line)))
  const word = (name: (typeof PROPERTIES)[number]) => values.get(name) ?? ''
  const pid = wholeNumber(values.get('MainPID'))
  const load = word('LoadState')
  const active = word('ActiveState')
  if (load === '' || active === '' || word('SubState') === '' || pid === undefined) return undefined
  return {
    load,
    active,
    sub: word('SubState'),
    result: word('Result'),
    pid,
    exit: exitOf(wholeNumber(values.get('ExecMainCode')), wholeNumber(values.get('ExecMainStatus'))),
    lastPid: wholeNumber(values.get('ExecMainPID')) ?? 0,
    endedAtUs: wholeNumber(values.get('ExecMainExitTimestampMonotonic')) ?? 0,
    restarts: wholeNumber(values.get('NRestarts')) ?? 0,
    file: word('UnitFileState'),
    dropIns: word('DropInPaths')
      .split(' ')
      .filter((file) => file !== ''),
    isOutdated: word('NeedDaemonReload') === 'yes',
  }
}

function splitAtEquals(line: string): [string, string] {
  const at = line.indexOf('=')
  return at === -1 ? [line, ''] : [line.slice(0, at), line.slice(at + 1).trimEnd()]
}

function wholeNumber(text: string | undefined): number | undefined {
  return text !== undefined && /^\d{1,15}$/.test(text) ? Number(text) : undefined
}

/** sigaction(2), si_code of SIGCHLD: 1 is CLD_EXITED; 2 and 3 are CLD_KILLED and CLD_DUMPED. */
function exitOf(code: number | undefined, status: number | undefined): UnitState['exit'] {
  if (status === undefined || code === undefined || code === 0) return undefined
  return { by: code === 1 ? 'code' : 'signal', number: status }
}

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
export function notesOf(
  { load, file, dropIns, isOutdated }: UnitState,
  { words: { command } }: Pick<UnitNames, 'words'>,
): string[] {
  const notes: string[] = []
  if (load === 'masked') notes.push('The unit is masked: it can’t be started')
  else if (load === 'bad-setting' || load === 'error')
    notes.push(`systemd can’t read the unit. Run: ${command} install`)
  else if (load === 'not-found') notes.push(`The unit’s file is gone. Run: ${command} install`)
  else if (file !== 'enabled')
    notes.push(`It does not start by itself: the unit is disabled. Run: ${command} install`)
  if (isOutdated) notes.push(`The unit was changed and not read since. Run: ${command} restart`)
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
