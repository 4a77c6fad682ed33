import { writeFileSync } from 'node:fs'
import { replyAt, type Topics } from './candidates.ts'
import { allCommands } from './commands.ts'
import { cursorAt } from './cursor.ts'
import { offerable, type Reply } from './shells/reply.ts'
import { bash } from './shells/bash.ts'
import { fish } from './shells/fish.ts'
import { powershell } from './shells/powershell.ts'
import type { Question, Shell } from './shells/shell.ts'
import { zsh } from './shells/zsh.ts'

const STDOUT = 1

/** Those that words are completed in, by name. */
export const SHELLS: Readonly<Record<string, Shell>> = { bash, zsh, fish, powershell }

/** The program that is completed. */
export interface Program {
  readonly root: string
  /** Names of the plugins that come with it. */
  readonly plugins: readonly string[]
  readonly topics: Topics
}

/** What a shell may offer. */
export async function complete({ words, typed }: Question, program: Program): Promise<Reply> {
  const commands = allCommands(program.root, program.plugins)
  const reply = await replyAt(cursorAt(words, typed, commands), commands, program.topics)
  const candidates = reply.candidates.flatMap((one) => offerable(one, reply.kind) ?? [])
  return { ...reply, candidates }
}

/**
 * Answers a shell, before oclif is loaded: it asks at each press of a key. Whatever goes wrong, nothing is
 * printed: the shell would show it in the middle of a line.
 */
export async function answerShell([name = '', ...args]: readonly string[], program: Program): Promise<void> {
  try {
    const shell = SHELLS[name]
    if (!shell) return
    const question = shell.read(args)
    const lines = shell.write(await complete(question, program), question)
    // Not by process.stdout: for a pipe it loads what a socket needs, a tenth of what all of this takes.
    writeFileSync(STDOUT, lines.map((line) => `${line}\n`).join(''))
  } catch {
    // The command itself says what is wrong. Or the shell has lost interest.
  }
}
