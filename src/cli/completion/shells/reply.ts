import { printable } from '../../../text/printable.ts'

/** What may stand in the place of the word under the cursor. */
export interface Candidate {
  readonly value: string
  /** What it is, in a few words. */
  readonly about?: string | undefined
}

/**
 * What a shell offers: these alone, or also what it finds itself: files, folders, or what another program's
 * completion says, whose name is that word of the line.
 */
export interface Reply {
  readonly kind: 'words' | 'files' | 'folders' | 'program'
  readonly candidates: readonly Candidate[]
  /** Of the word under the cursor what stands before each candidate. */
  readonly prefix: string
  /** Of the word under the cursor what is behind that. */
  readonly typed: string
  /** Where another program's words begin, counted from the program's own name. */
  readonly first: number
}

/** What any shell takes as it is. */
const PLAIN = /^[\w@%+=:,./-]+$/

/**
 * Names may come from a hub, and a shell would run what is in them: a word that is more than letters, digits
 * and some marks is not offered. A path of this machine is, and each shell quotes it.
 */
export function offerable({ value, about = '' }: Candidate, kind: Reply['kind']): Candidate | undefined {
  const isSafe = kind === 'files' ? value === printable(value) : PLAIN.test(value)
  return isSafe ? { value, about: printable(about) } : undefined
}
