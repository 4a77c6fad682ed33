/** What groff or mandoc would take for something else, or put in another's place. See groff_char(7). */
const CHARACTERS: Readonly<Record<string, string>> = {
  '\\': String.raw`\e`,
  // A bare one becomes a typographic hyphen, which no shell takes for an option's.
  '-': String.raw`\-`,
  "'": String.raw`\(aq`,
  '"': String.raw`\(dq`,
  '`': String.raw`\(ga`,
  '^': String.raw`\(ha`,
  '~': String.raw`\(ti`,
  '‘': String.raw`\(oq`,
  '’': String.raw`\(cq`,
  '“': String.raw`\(lq`,
  '”': String.raw`\(rq`,
  '›': '>',
  '…': '...',
}

/** Text as roff that shows it as it is, on any terminal: plain ASCII, and nothing in it commands. */
export function escapeRoff(text: string): string {
  return text.replaceAll(
    /[\\'"`^~-]|[^\t\n -~]/gu,
    (one) => CHARACTERS[one] ?? `\\[u${one.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}]`,
  )
}

/** @param roff already escaped */
export function bold(roff: string): string {
  return roff === '' ? '' : String.raw`\fB${roff}\fR`
}

/** @param roff already escaped */
export function italic(roff: string): string {
  return roff === '' ? '' : String.raw`\fI${roff}\fR`
}

/** What is typed, in bold; in it words that stand for others in italics, and what says how often as it is. */
export function typed(text: string): string {
  return text
    .split(/([A-Z][A-Z-]*\b|[[\]|]|\.{3})/)
    .map((part, at) => {
      const roff = escapeRoff(part)
      if (at % 2 === 0) return bold(roff)
      return /^[A-Z]/.test(part) ? italic(roff) : roff
    })
    .join('')
}

/** Text to fill, each sentence on a line of its own: only there roff knows that one has ended. */
export function fill(roff: string): string {
  return protect(
    roff
      .replaceAll(/\s+/g, ' ')
      .trim()
      .replaceAll(/(?<=[.?!](?:\\fR)?\)?) (?=\\f|[A-Z(])/g, '\n'),
  )
}

/** Lines as they stand. */
export function verbatim(text: string): string {
  const lines = protect(escapeRoff(text))
  return ['.PP', '.RS 4', '.nf', lines, '.fi', '.RE'].join('\n')
}

/** A paragraph. */
export function paragraph(roff: string): string {
  return `.PP\n${fill(roff)}`
}

/** A term, or several a line each, and below what it means. */
export function definition(terms: string | readonly string[], roff: string): string {
  return `.TP\n${[terms].flat().map(protect).join('\n.TQ\n')}\n${fill(roff)}`
}

export function section(title: string): string {
  return `.SH ${escapeRoff(title.toUpperCase())}`
}

export function subsection(title: string): string {
  return `.SS ${escapeRoff(title)}`
}

/** A line that begins with a dot would be a request; an apostrophe never stands bare. */
function protect(roff: string): string {
  return roff.replaceAll(/^\./gm, String.raw`\&.`)
}
