import { localAddressOf } from '../../config/reaches.ts'
import { describeHolder } from '../../process/port-holder.ts'
import type { ShownReach } from '../../tasks/reaches/shown-reach.ts'
import { localTime } from '../../text/local-time.ts'
import { formatTable } from './table.ts'

/** The kept reaches in a line; undefined if there are none. */
export function reachesInLine(reaches: readonly ShownReach[]): string | undefined {
  if (reaches.length === 0) return undefined
  return reaches.map((reach) => `${reach.name} at ${localAddressOf(reach)} (${state(reach)})`).join(', ')
}

/** What is not as it should be with them, a line each; one for all where no agent says how they stand. */
export function reachTroubles(reaches: readonly ShownReach[]): string[] {
  const untold = reaches.find(({ since }) => since === null)
  const each = reaches.flatMap((reach) => [whyNotHeld(reach), whyFailing(reach), openToOthers(reach)])
  const all = untold ? `None of these ports is held: ${untold.reason}` : undefined
  return [all, ...each].filter((line) => line !== undefined)
}

/** As a table, for `connect reach`. */
export function formatReaches(reaches: readonly ShownReach[]): string[] {
  if (reaches.length === 0) return ['No reach is kept here']
  const rows = reaches.map((reach) => [
    reach.name,
    localAddressOf(reach),
    reach.held ? 'held' : 'not held',
    reach.connections?.toString() ?? '-',
  ])
  return [
    ...formatTable([['NAME', 'AT', 'PORT', 'CONNECTIONS'], ...rows]),
    ...reachTroubles(reaches).map((line) => `  ${line}`),
  ]
}

/** Why a port is not held, and who has it. */
export function notHeld({ reason, holder }: ShownReach): string {
  return `${reason ?? 'not tried yet'}${holder ? `, by ${describeHolder(holder)}` : ''}`
}

/** A warning, if other machines can connect to it. */
export function openToOthers({ name, bind, port }: ShownReach): string | undefined {
  if (bind === null || bind === '::1' || bind.startsWith('127.')) return undefined
  return `${name}: whoever can connect to ${localAddressOf({ bind, port })} reaches it, from other machines too`
}

function state({ held, connections }: ShownReach): string {
  if (!held) return 'not held'
  return connections === 1 ? '1 connection' : `${connections} connections`
}

function whyNotHeld(reach: ShownReach): string | undefined {
  if (reach.held || reach.since === null) return undefined
  const line = `${reach.name} is not held since ${localTime(reach.since)}: ${notHeld(reach)}`
  return reach.code === 'PORT_IN_USE'
    ? `${line}. To move it: connect reach ${reach.name} --keep --port PORT`
    : line
}

function whyFailing({ name, failure }: ShownReach): string | undefined {
  return failure ? `${name} fails since ${localTime(failure.since)}: ${failure.reason}` : undefined
}
