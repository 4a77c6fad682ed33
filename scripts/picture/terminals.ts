import { styled } from './styled.ts'

/** A terminal's window. */
export interface Window {
  readonly title: string
  /** With the escape sequences of their colours. */
  readonly lines: readonly string[]
}

const CELL = { width: 8, height: 18 }
const PADDING = 16
const TITLE_HEIGHT = 28
const GAP = 20

const STYLE = `
text { font: 13.3px ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre; fill: #1f2328 }
rect { fill: #f6f8fa; stroke: #d1d9e0 }
.title, .dim, .black { fill: #59636e }
.bold { font-weight: bold }
.red { fill: #c21c2c } .green { fill: #116329 } .yellow { fill: #7d4e00 }
.blue { fill: #0550ae } .magenta { fill: #8250df } .cyan { fill: #1b7c83 }
@media (prefers-color-scheme: dark) {
text { fill: #e6edf3 }
rect { fill: #151b23; stroke: #3d444d }
.title, .dim, .black { fill: #9198a1 }
.red { fill: #ff7b72 } .green { fill: #3fb950 } .yellow { fill: #d29922 }
.blue { fill: #58a6ff } .magenta { fill: #bc8cff } .cyan { fill: #39c5cf }
}
`

/** Draws windows below each other as SVG: with text that can be selected, and for light and dark pages. */
export function drawTerminals(
  windows: readonly Window[],
  { columns, label }: { columns: number; label: string },
) {
  const width = columns * CELL.width + 2 * PADDING
  let top = 0
  const drawn = windows.map((window) => {
    const height = TITLE_HEIGHT + window.lines.length * CELL.height + PADDING
    const shape = draw(window, { top, width, height })
    top += height + GAP
    return shape
  })
  const size = `width="${width}" height="${top - GAP}" viewBox="0 0 ${width} ${top - GAP}"`
  return `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" aria-label="${escaped(label)}">
<style>${STYLE}</style>
${drawn.join('\n')}
</svg>
`
}

function draw(
  { title, lines }: Window,
  { top, width, height }: { top: number; width: number; height: number },
) {
  // Within the line that is drawn around it.
  const frame = `<rect x="0.5" y="${top + 0.5}" width="${width - 1}" height="${height - 1}" rx="8"/>`
  const name = `<text class="title" x="${PADDING}" y="${top + 20}">${escaped(title)}</text>`
  const texts = lines.map((line, at) => {
    const y = top + TITLE_HEIGHT + (at + 1) * CELL.height
    const pieces = styled(line).map(({ text, looks }) =>
      looks.length === 0 ? escaped(text) : `<tspan class="${looks.join(' ')}">${escaped(text)}</tspan>`,
    )
    return `<text class="line" x="${PADDING}" y="${y}" xml:space="preserve">${pieces.join('')}</text>`
  })
  return [frame, name, ...texts].join('\n')
}

function escaped(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;')
}
