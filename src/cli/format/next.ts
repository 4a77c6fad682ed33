import type { NextStep } from '../../tasks/machine/next-step.ts'

/** The line that says what most likely comes next; the same form everywhere. */
export function formatNext(step: NextStep): string {
  return `  Next: ${withNote(step)}`
}

/** Several, of which one is to be chosen. */
export function formatChoice(steps: readonly NextStep[]): string[] {
  return steps.map((step, at) => (at === 0 ? formatNext(step) : `    or: ${withNote(step)}`))
}

/** A command, and what it is for. */
export function withNote({ command, note }: NextStep): string {
  return note === null ? command : `${command} (${note})`
}
