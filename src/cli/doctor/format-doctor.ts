import type { CheckGroup, CheckState } from '../../doctor/check.ts'
import type { Checked } from '../../doctor/run-checks.ts'
import { counted } from '../../text/counted.ts'

export const MARKS: Readonly<Record<CheckState, string>> = {
  ok: '[ok]',
  warning: '[!]',
  failed: '[x]',
  unknown: '[?]',
  skipped: '[-]',
}

export const HEADS: Readonly<Record<CheckGroup, string>> = {
  files: 'Files',
  machine: 'This machine',
  daemon: 'Daemon',
  network: 'The way to the hub',
  hub: 'Hub',
  services: 'Services',
  'hub-here': 'Hub on this machine',
}

/** What was seen, by group, and how often what; in the last line what has failed. */
export function formatDoctor<Context>(all: readonly Checked<Context>[]): string[] {
  return [...formatGroups(all), ...endOf(all)]
}

/** A head for each group, an empty line after it. */
export function formatGroups<Context>(all: readonly Checked<Context>[]): string[] {
  const groups = Map.groupBy(withoutRepeats(all), ({ check }) => check.group)
  return [...groups].flatMap(([group, members]) => [
    HEADS[group],
    ...membersOf(members).map((line) => `  ${line}`),
    '',
  ])
}

/** What there is nothing of here is told in a line. */
function membersOf<Context>(members: readonly Checked<Context>[]): string[] {
  const nothing = reasonOfAll(members)
  if (nothing !== undefined) return [`${MARKS.skipped} ${nothing}`]
  return [...Map.groupBy(members, keyOf).values()].flatMap(formatTogether)
}

/** Why all of them are skipped; undefined unless all are, for the same reason. */
export function reasonOfAll<Context>(members: readonly Checked<Context>[]): string | undefined {
  const [{ state, seen }] = members as [Checked<Context>]
  const isNothing = state === 'skipped' && members.every((one) => one.state === state && one.seen === seen)
  return isNothing ? seen : undefined
}

/** What is skipped, or can’t be looked at, for one reason is a line. */
function keyOf<Context>(one: Checked<Context>): unknown {
  return one.state === 'skipped' || one.state === 'unknown' ? `${one.state}: ${one.seen}` : one
}

function formatTogether<Context>(members: readonly Checked<Context>[]): string[] {
  const [first] = members as [Checked<Context>]
  const title = members.map(({ check }) => check.title).join(', ')
  return formatChecked({ ...first, check: { ...first.check, title } })
}

/** One cause may keep much from being looked at, and is mended once. */
function withoutRepeats<Context>(all: readonly Checked<Context>[]): Checked<Context>[] {
  const told = new Set<string>()
  return all.map((one) => {
    const { fix, ...rest } = one
    if (fix === undefined || one.state !== 'unknown' || !told.has(fix)) {
      if (fix !== undefined) told.add(fix)
      return one
    }
    return rest
  })
}

/** Also a line of the list that a person watches. */
export function formatChecked<Context>(one: Checked<Context>): string[] {
  const { check, state, seen, fix, mended, unmended } = one
  const line = `${MARKS[state]} ${check.title}: ${seen}`
  const tried = unmended === undefined ? undefined : `Could not be mended: ${unmended}`
  const below = [mended === undefined ? tried : `Mended: ${mended}`, fix]
  return [line, ...below.flatMap((text) => (text === undefined ? [] : [`    ${text}`]))]
}

/** How often what, and in the last line what has failed. @param note on all of them */
export function endOf<Context>(all: readonly Checked<Context>[], note = ''): string[] {
  const failed = Map.groupBy(
    all.filter(({ state }) => state === 'failed'),
    ({ check }) => check.group,
  )
  const named = [...failed].map(
    ([group, members]) => `${HEADS[group]} (${members.map(({ check }) => check.title).join(', ')})`,
  )
  const counts = `${countsOf(all, ['ok', 'warning', 'failed']).join(', ')}${note}`
  return named.length === 0 ? [counts] : [counts, `Failed: ${named.join(', ')}`]
}

/** @param always also if there is none */
export function countsOf<Context>(
  all: readonly Checked<Context>[],
  always: readonly CheckState[] = [],
): string[] {
  const states: readonly CheckState[] = ['ok', 'warning', 'failed', 'unknown', 'skipped']
  return states.flatMap((state) => {
    const times = all.filter((one) => one.state === state).length
    if (times === 0 && !always.includes(state)) return []
    return [state === 'warning' ? counted(times, 'warning') : `${times} ${state}`]
  })
}
