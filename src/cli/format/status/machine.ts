import { homedir } from 'node:os'
import { sep } from 'node:path'
import { formatTarget } from '../../../config/target.ts'
import { adviceFor } from '../../../control/restart-advice.ts'
import type { MachineStatus } from '../../../tasks/machine/machine-status.ts'
import type { Problem } from '../../../tasks/machine/problems.ts'
import { printable } from '../../../text/printable.ts'
import { formatConnection } from '../connection.ts'
import { formatChoice } from '../next.ts'
import { reachesInLine, reachTroubles } from '../reaches.ts'

/** How many names stand in a line; `connect services` lists all. */
const MAX_NAMES = 5

/** Where this machine stands, in a few lines. */
export function formatMachine(status: MachineStatus): string[] {
  return [
    'This machine',
    ...rows([
      ['Hub here', hub(status)],
      ['Logged in', login(status)],
      ['Daemon', daemon(status)],
      ...status.agent.drift.map((text): Row => [
        '',
        `${text}. ${adviceFor({ kind: 'agent' }, status.agent)}`,
      ]),
      ['Exposed', names(status.exposed?.map((one) => `${one.name} → ${formatTarget(one)}`))],
      ['Kept reaches', reachesInLine(status.reaches ?? [])],
      ...troubles(status).map((text): Row => ['', text]),
      ['Offered elsewhere', offered(status)],
    ]),
    ...status.problems.flatMap(problem),
    '',
    ...formatChoice(status.next),
    '  All commands: connect --help',
  ]
}

type Row = [name: string, value: string | undefined]

function rows(all: readonly Row[]): string[] {
  return all.flatMap(([name, value]) =>
    value === undefined ? [] : [`  ${name === '' ? '  ' : `${name}: `}${value}`],
  )
}

function hub({ hub: { state, pid, mode, address, reason, joined, online } }: MachineStatus): string {
  if (state === 'unknown') return notKnown(reason)
  if (state !== 'running') return reason === null ? state : `${state}, ${reason}`
  const how = [
    `running (PID: ${pid})${address === null ? '' : ` at ${address}`}`,
    mode === 'foreground' ? 'in the foreground' : undefined,
    reason ?? (joined === null ? undefined : `${online} of ${joined} machines connected`),
  ]
  return how.filter((part) => part !== undefined).join(', ')
}

function login({ loggedIn, login }: MachineStatus): string {
  if (loggedIn === null) return notKnown(null)
  return login ? `to ${login.hub} as ${printable(login.label)} (${login.agentId})` : 'no'
}

/** A machine that knows no hub has no use for one. */
function daemon({
  loggedIn,
  agent: { state, mode, pid, connection, reason },
}: MachineStatus): string | undefined {
  if (state === 'stopped') return loggedIn === false ? undefined : 'stopped'
  if (state === 'unknown') return notKnown(reason)
  const running = connection ? formatConnection(connection) : (reason ?? notKnown(null))
  return mode === 'daemon'
    ? `running (PID: ${pid}), ${running}`
    : `stopped; an agent runs in the foreground (PID: ${pid}), ${running}`
}

/** Where no agent runs none is held, and that is said already. */
function troubles({ agent, reaches }: MachineStatus): string[] {
  return agent.state === 'stopped' ? [] : reachTroubles(reaches ?? [])
}

function offered({ offered, hubSilence }: MachineStatus): string | undefined {
  if (hubSilence !== null) return notKnown(hubSilence)
  const each = offered?.map(
    ({ name, label, online }) => `${name} (from ${printable(label)}${online ? '' : ', offline'})`,
  )
  return names(each)
}

function names(all: readonly string[] | undefined): string | undefined {
  if (all === undefined || all.length === 0) return undefined
  const more = all.length - MAX_NAMES
  return [...all.slice(0, MAX_NAMES), ...(more > 0 ? [`and ${more} more, see: connect services`] : [])].join(
    ', ',
  )
}

function notKnown(reason: string | null): string {
  return reason === null ? 'not known' : `not known: ${reason}`
}

function problem({ message, hints }: Problem): string[] {
  const short = message.replaceAll(`${homedir()}${sep}`, '~/')
  return ['', `[!] ${short}`, ...hints.map((hint) => `  ${hint}`)]
}
