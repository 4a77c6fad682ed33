import { METRICS, type Metric } from '../measures/measure.ts'
import type { Results } from '../results.ts'
import { TOPOLOGIES } from '../topologies/all.ts'
import { isMet, judge } from './targets.ts'

export interface Circumstances {
  readonly machine: string
  readonly date: Date
  readonly rounds: number
  /** If the machine was busy, what to say of that. */
  readonly busy: string | undefined
}

const METRIC_NAMES = Object.keys(METRICS) as Metric[]

const NOTES = [
  '- Client and target take CPU time of the same cores: “no tunnel” is the most that anything could show here, and what',
  '  they take beside each tunnel has a row of its own.',
  '- “Node.js pipes” and “socat” do no multiplexing, authentication or encryption.',
  '- With 2 hops nobody runs anything at the client’s side: whoever reaches the server’s port is in.',
  '- PSS shares out what several processes have loaded: of Node.js, also with the bench’s own. After load: seconds after',
  '  half a GB each way and a second of new connections.',
  '- The hub’s memory is what very many of them add to a new hub that has just collected its garbage. The agents have',
  '  joined it before: what joining leaves behind is not counted.',
]

/** The whole of the results as a page of Markdown. */
export function formatReport(results: Results, { machine, date, rounds, busy }: Circumstances): string {
  const measured = results.names.filter((name) => METRIC_NAMES.some((metric) => results.of(name, metric)))
  return [
    '# Bench of the tunnel',
    '',
    `${date.toISOString().slice(0, 10)}; ${machine}. All processes on this one machine; ${rounds} rounds in turns.`,
    ...(busy === undefined ? [] : ['', busy]),
    '',
    '## What is measured',
    '',
    ...table(['', 'hops', 'version', ''], topologyRows(results)),
    '',
    '## Targets',
    '',
    'A ratio is the median of each round’s; its smallest and largest stand beside it.',
    '',
    ...table(['', 'median', 'min … max', 'target', '', 'stretch', ''], targetRows(results)),
    '',
    '## Figures',
    '',
    'The median of all rounds.',
    '',
    ...table(['', 'unit', ...measured], figureRows(results, measured)),
    '',
    ...NOTES,
    '',
  ].join('\n')
}

function topologyRows(results: Results): string[][] {
  return TOPOLOGIES.map(({ name, hops, about }) => [
    name,
    String(hops),
    [results.versions.get(name), results.whyMissing(name)].filter(Boolean).join('; '),
    about,
  ])
}

function targetRows(results: Results): string[][] {
  return judge(results).map(({ target, spread }) => {
    const goal = (value: number | undefined) =>
      value === undefined
        ? ['', '']
        : [
            `${target.is} ${value}`,
            { true: 'met', false: 'not met' }[String(isMet(target, spread, value))] ?? '',
          ]
    return [
      target.title,
      spread ? spread.median.toFixed(2) : whyNot(results, [target.over, ...target.under]),
      spread && spread.max > spread.min ? `${spread.min.toFixed(2)} … ${spread.max.toFixed(2)}` : '',
      ...goal(target.must),
      ...goal(target.stretch),
    ]
  })
}

function whyNot(results: Results, figures: readonly (readonly [name: string, metric: Metric])[]): string {
  return figures.map(([name]) => results.whyMissing(name)).find((why) => why !== undefined) ?? 'not measured'
}

function figureRows(results: Results, names: readonly string[]): string[][] {
  return METRIC_NAMES.map((metric) => {
    const { title, unit, digits } = METRICS[metric]
    const cells = names.map((name) => results.of(name, metric)?.median.toFixed(digits) ?? '–')
    return [title, unit, ...cells]
  })
}

/** Columns as wide as their widest cell, so that the page can be read as it is too. */
export function table(head: readonly string[], rows: readonly (readonly string[])[]): string[] {
  const widths = head.map((title, column) =>
    Math.max(3, title.length, ...rows.map((row) => row[column]!.length)),
  )
  const line = (cells: readonly string[]) =>
    `| ${cells.map((cell, column) => cell.padEnd(widths[column]!)).join(' | ')} |`
  return [line(head), line(widths.map((width) => '-'.repeat(width))), ...rows.map(line)]
}
