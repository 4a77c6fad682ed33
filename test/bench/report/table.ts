import { METRICS, type Metric } from '../measures/measure.ts'
import type { Results } from '../results.ts'
import { isMet, judge } from './targets.ts'

export interface Circumstances {
  readonly machine: string
  readonly date: Date
  readonly rounds: number
  /** If the machine was busy, what to say of that. */
  readonly busy: string | undefined
}

const NOTES = [
  '- Client and target take CPU time of the same cores: “no tunnel” is the most that anything could show here.',
  '- “Node.js pipes” and “socat” are three hops, as the tunnel is, without any multiplexing, authentication or encryption.',
  '- OpenSSH runs with `-N`, as tunnels do, and then leaves Nagle’s algorithm on: a new connection waits for about 40 ms.',
  '  With a session in the same connection (`ssh -R … sleep 1d`) it takes less than a millisecond.',
  '- Memory is what very many of them add to a new hub that has just collected its garbage. The agents have joined it',
  '  before: what joining leaves behind is not counted.',
]

/** The whole of the results as a page of Markdown. */
export function formatReport(results: Results, { machine, date, rounds, busy }: Circumstances): string {
  const missing = results.names.flatMap((name) => {
    const why = results.whyMissing(name)
    return why === undefined ? [] : [`- ${name} is not there: ${why}.`]
  })
  return [
    '# Bench of the tunnel',
    '',
    `${date.toISOString().slice(0, 10)}; ${machine}. All processes on this one machine; ${rounds} rounds in turns.`,
    ...(busy === undefined ? [] : ['', busy]),
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
    ...table(['', 'unit', ...results.names], figureRows(results)),
    ...(missing.length > 0 ? ['', ...missing] : []),
    '',
    ...NOTES,
    '',
  ].join('\n')
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
      spread ? spread.median.toFixed(2) : 'not there',
      spread && spread.max > spread.min ? `${spread.min.toFixed(2)} … ${spread.max.toFixed(2)}` : '',
      ...goal(target.value),
      ...goal(target.stretch),
    ]
  })
}

function figureRows(results: Results): string[][] {
  return (Object.keys(METRICS) as Metric[]).map((metric) => {
    const { title, unit, digits } = METRICS[metric]
    const cells = results.names.map((name) => {
      if (results.whyMissing(name) !== undefined) return 'not there'
      return results.of(name, metric)?.median.toFixed(digits) ?? '–'
    })
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
