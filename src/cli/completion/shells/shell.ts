import type { Reply } from './reply.ts'

/** What a shell has asked. */
export interface Question {
  /** Of the line, before the word under the cursor: the program's own name first. */
  readonly words: readonly string[]
  /** The word under the cursor, up to it, without its quotes. */
  readonly typed: string
  /** Where in that word begins what the shell will replace. */
  readonly start: number
}

/** How one shell asks and is answered: `connect __complete SHELL …`. */
export interface Shell {
  /** What the shell runs when it starts. It only asks, so that no other version needs another one. */
  readonly script: string
  /** @param args those behind the shell's name */
  read(args: readonly string[]): Question
  /** @returns lines, the first of which says what else is to be offered */
  write(reply: Reply, question: Question): string[]
}
