import { isThatOne, type Fate, type Mutant, type Unnoticeable } from './mutant.ts'

const HEAD = `# Would the tests notice?

Each file was changed in every way that [Stryker](https://stryker-mutator.io/docs/mutation-testing-elements/supported-mutators/)
knows, one change at a time, and the tests of its own area that import it were run: \`npm run mutate -- FILES\`, which brings
the rows and the lists of these files up to date. The score is the share of changes that made a test fail or hang. Changes that
no test can notice count as not noticed.
`

const COLUMNS = [
  'File',
  'Mutants',
  'Killed',
  'Timed out',
  'Survived',
  'Not covered',
  'Of these explained',
  'Score',
  'Date',
]

/** One file's part of the summary. */
export interface Measured {
  readonly file: string
  readonly mutants: readonly Mutant[]
  readonly date: Date
}

/**
 * The summary with these files in it, in place of what it said of them before. @param old '' if there is none
 */
export function updateSummary(
  old: string,
  measured: readonly Measured[],
  known: readonly Unnoticeable[],
): string {
  const rows = oldRows(old)
  const lists = oldLists(old)
  for (const { file, mutants, date } of measured) {
    rows.set(file, rowOf(file, mutants, known, date))
    lists.delete(file)
    const list = survivorsOf(mutants).map((mutant) => lineOf(mutant, whyOf(mutant, known)))
    if (list.length > 0) lists.set(file, list)
  }
  const table = [COLUMNS, COLUMNS.map(() => '---'), ...sorted(rows)].map(
    (cells) => `| ${cells.join(' | ')} |`,
  )
  const sections = [...lists]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([file, list]) => `\n### ${file}\n\n${list.join('\n')}\n`)
  const survivors = sections.length > 0 ? `\n## Not noticed\n${sections.join('')}` : ''
  return `${HEAD}\n${table.join('\n')}\n${survivors}`
}

export function survivorsOf(mutants: readonly Mutant[]): Mutant[] {
  return mutants
    .filter(({ fate }) => fate === 'survived' || fate === 'not covered')
    .toSorted((a, b) => a.line - b.line)
}

export function whyOf(mutant: Mutant, known: readonly Unnoticeable[]): string | undefined {
  return known.find((one) => isThatOne(mutant, one))?.why
}

/** Between 0 and 1, in hundredths, and 1 only if nothing was missed. */
export function scoreOf(mutants: readonly Mutant[]): number {
  const noticed = mutants.length - survivorsOf(mutants).length
  return Math.floor((100 * noticed) / mutants.length) / 100
}

function rowOf(
  file: string,
  mutants: readonly Mutant[],
  known: readonly Unnoticeable[],
  date: Date,
): string[] {
  const count = (fate: Fate) => mutants.filter((mutant) => mutant.fate === fate).length
  const explained = survivorsOf(mutants).filter((mutant) => whyOf(mutant, known) !== undefined).length
  const counts = [
    mutants.length,
    count('killed'),
    count('timed out'),
    count('survived'),
    count('not covered'),
    explained,
  ]
  return [file, ...counts.map(String), scoreOf(mutants).toFixed(2), date.toISOString().slice(0, 10)]
}

function lineOf({ line, change }: Mutant, why: string | undefined): string {
  return `- line ${line}: ${code(change)}${why === undefined ? '' : `: ${why}`}`
}

/** In as many backquotes as it takes (CommonMark, 6.1). */
function code(text: string): string {
  return text.includes('`') ? `\`\` ${text} \`\`` : `\`${text}\``
}

function oldRows(old: string): Map<string, string[]> {
  const rows = old.matchAll(/^\| (src\/\S+) \|(.*)\|$/gm)
  return new Map(
    [...rows].map(([, file = '', rest = '']) => [
      file,
      [file, ...rest.split('|').map((cell) => cell.trim())],
    ]),
  )
}

function oldLists(old: string): Map<string, string[]> {
  const sections = old.split(/^### /m).slice(1)
  return new Map(
    sections.map((section) => {
      const [file = '', ...lines] = section.split('\n').filter((line) => line !== '')
      return [file, lines]
    }),
  )
}

function sorted(rows: Map<string, string[]>): string[][] {
  return [...rows].toSorted(([a], [b]) => (a < b ? -1 : 1)).map(([, cells]) => cells)
}
