/**
 * What commands a terminal, reorders a line or hides in it (https://trojansource.codes): control characters
 * of C0 and C1, format characters, separators of lines, halves of surrogate pairs.
 */
const UNSAFE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** A text from outside (a label, a hub's answer, a file's name) as it may be shown. One line stays one. */
export function printable(text: string): string {
  return text.replaceAll(UNSAFE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`)
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
