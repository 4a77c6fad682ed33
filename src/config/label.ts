import { hostname } from 'node:os'

/** What a machine is called until someone says otherwise: its short host name. */
export function defaultLabel(): string {
  return hostname().split('.')[0] || 'unnamed'
}

/** A label as it may be shown: anyone chooses their own, so control characters must not reach a terminal or a log. */
export function printable(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, (character) => {
    return `\\u{${character.codePointAt(0)?.toString(16)}}`
  })
}
