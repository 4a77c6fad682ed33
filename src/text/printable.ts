/**
 * What commands a terminal, reorders a line or hides in it (https://trojansource.codes): control characters
 * of C0 and C1, format characters, separators of lines, halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** A text from outside (a label, a hub's answer, a file's name) as it may be shown. One line stays one. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
}

// oxlint-disable-next-line no-control-regex -- what begins a style is one
const LINE_OR_STYLE = /(\n|\u001B\[[\d;]*m)/

/** The same of a text of several lines that we have given colours, and the like (ECMA-48 SGR). */
export function printableLines(text: string): string {
  return text
    .split(LINE_OR_STYLE)
    .map((part, at) => (at % 2 === 0 ? printable(part) : part))
    .join('')
}

/** A value as JSON that may be shown: what is unsafe is escaped, and parsing gives it back (RFC 8259 §7). */
export function printableJson(value: unknown, indent = 0): string {
  const text = JSON.stringify(value, undefined, indent)
  return text.replaceAll(UNSAFE, (character) => (character === '\n' ? character : escapedUnits(character)))
}

/** Each UTF-16 unit as JSON escapes it. */
function escapedUnits(character: string): string {
  return [...Array(character.length).keys()]
    .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, '0')}`)
    .join('')
}
