import type { Reply } from './reply.ts'

/**
 * An answer for a shell that compares words by itself, as its user has set it to, and shows what each is: a
 * line each, `VALUE<tab>ABOUT`, below one that says what else is to be offered.
 *
 * @param prefix what is to stand before each value
 */
export function described({ kind, candidates, prefix: before, first }: Reply, prefix: string): string[] {
  const number = kind === 'program' ? first : before.length
  return [`${kind} ${number}`, ...candidates.map(({ value, about }) => `${prefix}${value}\t${about ?? ''}`)]
}
