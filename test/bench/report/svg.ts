import { METRICS, type Metric } from '../measures/measure.ts'
import type { Results } from '../results.ts'
import { direct } from '../topologies/direct.ts'

/** What the chart shows, a panel each, and which end is the good one. */
const PANELS: readonly { metric: Metric; better: 'more' | 'less' }[] = [
  { metric: 'up', better: 'more' },
  { metric: 'down', better: 'more' },
  { metric: 'parallel', better: 'more' },
  { metric: 'cpu', better: 'less' },
  { metric: 'ping', better: 'less' },
  { metric: 'pingBusy', better: 'less' },
  { metric: 'pingBusyP99', better: 'less' },
  { metric: 'connect', better: 'less' },
  { metric: 'connects', better: 'more' },
  { metric: 'memoryLoaded', better: 'less' },
]

const COLUMNS = 2
const PANEL_WIDTH = 440
const ROW_HEIGHT = 22
const HEAD_HEIGHT = 34
const GAP = 24
const LABEL_WIDTH = 110
const VALUE_WIDTH = 70
const BAR_WIDTH = PANEL_WIDTH - LABEL_WIDTH - VALUE_WIDTH

/** Without a background, and with colours for either: the page's own shows through. */
const STYLE = `
  text { font: 12px system-ui, sans-serif; fill: #1f2328 }
  .title { font-weight: 600; font-size: 13px }
  .unit, .missing { fill: #59636e }
  .bar { fill: #9aa4af }
  .ours { fill: #0969da }
  .range { stroke: #1f2328; stroke-width: 1.5 }
  @media (prefers-color-scheme: dark) {
    text { fill: #f0f6fc }
    .unit, .missing { fill: #9198a1 }
    .bar { fill: #656c76 }
    .ours { fill: #4493f8 }
    .range { stroke: #f0f6fc }
  }
`

/**
 * Draws the results: a bar is a median, the line on it goes from the smallest to the largest of the rounds.
 */
export function drawChart(results: Results, isOurs: (name: string) => boolean): string {
  // What can be without a tunnel belongs into the table; here it would dwarf the rest.
  const names = results.names.filter((name) => name !== direct.name)
  const panelHeight = HEAD_HEIGHT + names.length * ROW_HEIGHT
  const rows = Math.ceil(PANELS.length / COLUMNS)
  const [width, height] = [COLUMNS * PANEL_WIDTH + GAP * (COLUMNS + 1), rows * (panelHeight + GAP) + GAP]
  const panels = PANELS.map((panel, index) => {
    const x = GAP + (index % COLUMNS) * (PANEL_WIDTH + GAP)
    const y = GAP + Math.floor(index / COLUMNS) * (panelHeight + GAP)
    return `<g transform="translate(${x} ${y})">\n${drawPanel(results, names, isOurs, panel)}\n</g>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    '<title>Bench of the tunnel: this tunnel beside others</title>',
    `<style>${STYLE}</style>`,
    ...panels,
    '</svg>',
    '',
  ].join('\n')
}

function drawPanel(
  results: Results,
  names: readonly string[],
  isOurs: (name: string) => boolean,
  { metric, better }: { metric: Metric; better: string },
): string {
  const { title, unit, digits } = METRICS[metric]
  const most = Math.max(...names.map((name) => results.of(name, metric)?.max ?? 0)) || 1
  const scale = (value: number) => Math.round((value / most) * BAR_WIDTH * 10) / 10
  const bars = names.map((name, row) => {
    const y = HEAD_HEIGHT + row * ROW_HEIGHT
    const label = text(0, y + 13, name)
    const spread = results.of(name, metric)
    if (!spread) return label + text(LABEL_WIDTH, y + 13, results.whyMissing(name) ?? '–', 'missing')
    const [from, to] = [LABEL_WIDTH + scale(spread.min), LABEL_WIDTH + scale(spread.max)]
    return [
      label,
      `<rect class="bar${isOurs(name) ? ' ours' : ''}" x="${LABEL_WIDTH}" y="${y + 2}" width="${Math.max(1, scale(spread.median))}" height="${ROW_HEIGHT - 8}" rx="2"/>`,
      `<path class="range" d="M${from} ${y + 9}H${to}"/>`,
      text(LABEL_WIDTH + BAR_WIDTH + 8, y + 13, spread.median.toFixed(digits)),
    ].join('')
  })
  return [
    text(0, 14, title, 'title'),
    text(PANEL_WIDTH, 14, `${unit}, ${better} is better`, 'unit', ' text-anchor="end"'),
    ...bars,
  ].join('\n')
}

function text(x: number, y: number, content: string, style = '', more = ''): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x}" y="${y}"${style === '' ? '' : ` class="${style}"`}${more}>${escaped}</text>`
}
