/** A piece of a line that looks one way. */
export interface Piece {
  readonly text: string
  /** Names of its looks: `bold`, `dim`, a colour. */
  readonly looks: readonly string[]
}

const COLOURS = ['black', 'red', 'green', 'yellow', 'blue', 'magenta', 'cyan', 'white']

/** Reads the looks of a line as a terminal does (ECMA-48, SGR); colours that aren't named are left out. */
export function styled(line: string): Piece[] {
  const pieces: Piece[] = []
  let looks: string[] = []
  // oxlint-disable-next-line no-control-regex -- what begins a colour is one
  for (const [, codes, text] of line.matchAll(/\u001B\[([\d;]*)m|([^\u001B]+)/g)) {
    if (text !== undefined) pieces.push({ text, looks })
    else for (const code of codes?.split(';') ?? []) looks = withCode(looks, Number(code))
  }
  return pieces
}

function withCode(looks: readonly string[], code: number): string[] {
  if (code === 0) return []
  if (code === 1) return [...looks, 'bold']
  if (code === 2) return [...looks, 'dim']
  if (code === 22) return looks.filter((look) => look !== 'bold' && look !== 'dim')
  const others = looks.filter((look) => !COLOURS.includes(look))
  if (code === 39) return others
  // Bright ones are 60 further on.
  const colour = COLOURS[code >= 90 ? code - 90 : code - 30]
  return colour === undefined ? [...looks] : [...others, colour]
}
