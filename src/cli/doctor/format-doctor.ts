import type { CheckGroup, CheckState } from '../../doctor/check.ts'
import type { Checked } from '../../doctor/run-checks.ts'
import { counted } from '../../text/counted.ts'

const MARKS: Readonly<Record<CheckState, string>> = {
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

/** What was seen, by group, and how often what. */
export function formatDoctor<Context>(all: readonly Checked<Context>[]): string[] {
  const groups = Map.groupBy(withoutRepeats(all), ({ check }) => check.group)
  const lines = [...groups].flatMap(([group, members]) => [
    HEADS[group],
    ...membersOf(members).map((line) => `  ${line}`),
    '',
  ])
  return [...lines, counts(all)]
}

/** What there is nothing of here is told in a line. */
function membersOf<Context>(members: readonly Checked<Context>[]): string[] {
  const [{ state, seen }] = members as [Checked<Context>]
  const isNothing = state === 'skipped' && members.every((one) => one.state === state && one.seen === seen)
  if (isNothing) return [`${MARKS.skipped} ${seen}`]
  return [...Map.groupBy(members, keyOf).values()].flatMap(formatTogether)
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

function counts<Context>(all: readonly Checked<Context>[]): string {
  const count = (state: CheckState) => all.filter((one) => one.state === state).length
  const said = [`${count('ok')} ok`, counted(count('warning'), 'warning'), `${count('failed')} failed`]
  const blank = (['unknown', 'skipped'] as const).flatMap((state) => {
    const times = count(state)
    return times === 0 ? [] : [`${times} ${state}`]
  })
  return [...said, ...blank].join(', ')
}
