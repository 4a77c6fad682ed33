import { formatTable } from '../../../src/cli/format/table.ts'
import { quantile } from '../statistics.ts'

/** How far a figure of many may be from that of few. */
const TOLERANCE = 0.15

/** One figure of each size. */
export interface Growth {
  readonly title: string
  readonly unit: string
  readonly digits: number
  /** Which is good, so that only the other way counts; undefined for what is not judged. */
  readonly better?: 'more' | 'less'
  /** By size, the figure of each round; undefined where it can't be told. */
  readonly figures: ReadonlyMap<number, readonly (number | undefined)[]>
}

/**
 * What each of many takes, beyond what is there without any.
 *
 * @param floors the same without any, read several times: how far these differ is what can't be told
 * @returns undefined if that is more than the tolerance
 */
export function perUnit(total: number, floors: readonly number[], count: number): number | undefined {
  const noise = Math.max(...floors) - Math.min(...floors)
  const beyond = total - quantile(floors, 0.5)
  return beyond > noise / TOLERANCE ? beyond / count : undefined
}

/** A line a figure: the medians, and how each stands to that of the smallest size in the same round. */
export function formatGrowth(title: string, sizes: readonly number[], growths: readonly Growth[]): string[] {
  const counts = sizes.map((size) => size.toLocaleString('en'))
  const head = [title, '', ...counts, ...counts.slice(1).map((count) => `× at ${count}`), 'within 15 %']
  return formatTable([head, ...growths.map((growth) => rowOf(growth, sizes))])
}

function rowOf(growth: Growth, sizes: readonly number[]): string[] {
  const { title, unit, digits, better } = growth
  const medians = sizes.map((size) => median(figuresOf(growth, size)))
  const ratios = sizes.map((size) => ratioOf(growth, size, sizes))
  return [
    title,
    unit,
    ...medians.map((figure) => figure?.toFixed(digits) ?? '–'),
    ...ratios.slice(1).map((ratio) => ratio?.toFixed(2) ?? '–'),
    better === undefined ? '' : verdictOf(ratios, better),
  ]
}

/** @returns undefined for what is compared with, and for what is not there */
function ratioOf(growth: Growth, size: number, sizes: readonly number[]): number | undefined {
  const smallest = sizes.find((one) => figuresOf(growth, one).some((figure) => figure !== undefined))
  if (smallest === undefined || smallest === size) return undefined
  const bases = figuresOf(growth, smallest)
  return median(
    figuresOf(growth, size).map((figure, round) => {
      const base = bases[round]
      return figure === undefined || base === undefined ? undefined : figure / base
    }),
  )
}

function figuresOf({ figures }: Growth, size: number): readonly (number | undefined)[] {
  return figures.get(size) ?? []
}

function verdictOf(ratios: readonly (number | undefined)[], better: 'more' | 'less'): string {
  const known = ratios.filter((ratio) => ratio !== undefined)
  if (known.length === 0) return 'not told'
  const isMet = known.every((ratio) => (better === 'more' ? ratio >= 1 - TOLERANCE : ratio <= 1 + TOLERANCE))
  return isMet ? 'met' : 'not met'
}

function median(figures: readonly (number | undefined)[]): number | undefined {
  const known = figures.filter((figure) => figure !== undefined)
  return known.length > 0 ? quantile(known, 0.5) : undefined
}
