import { METRICS, type Metric } from '../measures/measure.ts'
import type { Results } from '../results.ts'
import { connectPlain, connectTls, otherPlain, otherTls } from '../topologies/connect.ts'
import { table, type Circumstances } from './table.ts'

/** The tunnel with either transport, and the same inside TLS. */
export const PAIRS = [
  { ws: otherPlain, ours: connectPlain, suffix: '' },
  { ws: otherTls, ours: connectTls, suffix: ', TLS' },
] as const

/** What ws has to reach to be worth its upkeep by others: ratios to ours. */
const LEAST_SPEED = 0.9
const MOST_CPU = 1.11

const SHOWN = [
  ['up', 'speed'],
  ['down', 'speed'],
  ['parallel', 'speed'],
  ['connects', 'speed'],
  ['cpu', 'cost'],
  ['cpuHub', 'cost'],
] as const satisfies readonly (readonly [Metric, 'speed' | 'cost'])[]

/** What ws costs beside a connection of our own, as a page of Markdown. */
export function formatTransports(results: Results, { machine, date, rounds, busy }: Circumstances): string {
  const head = ['', 'unit', 'ws', 'ours', 'ws / ours', 'min … max', 'to be', '']
  return [
    '# What carries the messages of a link: ws, or a connection of our own',
    '',
    `${date.toISOString().slice(0, 10)}; ${machine}. ${rounds} rounds in turns; all else is the same.`,
    ...(busy === undefined ? [] : ['', busy]),
    '',
    'The figures are medians. A ratio is the median of each round’s; its smallest and largest stand beside it.',
    '',
    ...table(head, rowsOf(results)),
    '',
  ].join('\n')
}

function rowsOf(results: Results): string[][] {
  return PAIRS.flatMap(({ ws, ours, suffix }) =>
    SHOWN.flatMap(([metric, kind]) => {
      const ratio = results.ratio([ws.name, metric], [[ours.name, metric]])
      if (!ratio) return []
      const { title, unit, digits } = METRICS[metric]
      const [wanted, isMet] =
        kind === 'speed'
          ? [`at least ${LEAST_SPEED}`, ratio.median >= LEAST_SPEED]
          : [`at most ${MOST_CPU}`, ratio.median <= MOST_CPU]
      const medians = [ws, ours].map(({ name }) => results.of(name, metric)!.median.toFixed(digits))
      const spread = `${ratio.min.toFixed(2)} … ${ratio.max.toFixed(2)}`
      return [
        [
          title + suffix,
          unit,
          ...medians,
          ratio.median.toFixed(2),
          spread,
          wanted,
          isMet ? 'met' : 'not met',
        ],
      ]
    }),
  )
}
