import type { NextStep } from '../../tasks/machine/next-steps.ts'

/** The line that says what most likely comes next; the same form everywhere. */
export function formatNext({ command, note }: NextStep): string {
  return `  Next: ${withNote(command, note)}`
}

/** Several, of which one is to be chosen. */
export function formatChoice(steps: readonly NextStep[]): string[] {
  return steps.map((step, at) =>
    at === 0 ? formatNext(step) : `    or: ${withNote(step.command, step.note)}`,
  )
}

function withNote(command: string, note: string | null): string {
  return note === null ? command : `${command} (${note})`
}
