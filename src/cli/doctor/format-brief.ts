import type { CheckState } from '../../doctor/check.ts'
import type { Checked } from '../../doctor/run-checks.ts'
import { countsOf, endOf, formatGroups, HEADS, MARKS, reasonOfAll } from './format-doctor.ts'

/** What a person has to act on first comes last: there a terminal stands still. */
const BY_WEIGHT: readonly CheckState[] = ['skipped', 'ok', 'unknown', 'warning', 'failed']

/** What fits on a terminal: a line for each group; then, the worst last, what is not well, or was mended. */
export function formatBrief<Context>(all: readonly Checked<Context>[]): string[] {
  const groups = [...Map.groupBy(all, ({ check }) => check.group)]
  const sums = groups.map(([group, members]) => {
    const mark = MARKS[BY_WEIGHT[weightOf(members)]!]
    return `${mark} ${HEADS[group]}: ${reasonOfAll(members) ?? countsOf(members).join(', ')}`
  })
  const told = groups
    .toSorted(([, members], [, others]) => weightOf(members) - weightOf(others))
    .flatMap(([, members]) => members.toSorted((one, other) => weightOf([one]) - weightOf([other])))
    .filter(({ state, mended }) => (state !== 'ok' && state !== 'skipped') || mended !== undefined)
  return [...sums, '', ...formatGroups(told), ...endOf(all, ' (--verbose shows each)')]
}

function weightOf<Context>(members: readonly Checked<Context>[]): number {
  return Math.max(...members.map(({ state }) => BY_WEIGHT.indexOf(state)))
}
