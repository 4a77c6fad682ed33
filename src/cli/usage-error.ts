import { Errors, type Command } from '@oclif/core'

/** What oclif throws for a command line that can't be understood. */
export function isUsageError(error: unknown): error is Errors.CLIError {
  return error instanceof Errors.CLIError
}

/** What is wrong, in our words. oclif frames it with lines that say so, and dims it on a terminal. */
export function usageLines(error: Errors.CLIError): string[] {
  const text = error.message
    .replaceAll('\u001B[2m', '')
    .replaceAll('\u001B[22m', '')
    .replace(/^Parsing (--\S+) *\n\s*/, '$1: ')
    .replaceAll(
      /(--[\w-]+)=.*? cannot also be provided when using (--\S+)/gs,
      '$2 and $1 can’t be used together',
    )
    .replaceAll(/Missing required flag (\S+)/g, '--$1 is missing')
  return text
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !/^(The following error|See more help)/.test(line))
}

/** What was most likely meant: a flag of this command, or another program's way. */
export async function usageHints(
  error: Errors.CLIError,
  command: Command.Loadable | undefined,
): Promise<string[]> {
  const { parse, flags: unknown = [] } = error as UsageError
  const words = (parse?.output?.argv ?? []).filter((word) => !String(word).startsWith('-'))
  const { id, flags = {} } = command ?? {}
  const known = Object.entries(flags).flatMap(([name, { hidden }]) => (hidden ? [] : [name]))
  const names = unknown.map((flag) => flag.replace(/^-+/, '').replace(/=.*$/s, ''))
  const { nearest } = await import('../text/nearest.ts')
  const meant = names.flatMap((name) => nearest(name, known) ?? [])
  const hints = meant.map((name) => `Did you mean: --${name}`)
  if (id === 'reach' && words.length > 1 && unknown.length > 0)
    hints.push('A program and its options stand behind --: connect reach NAME -- PROGRAM [ARG]...')
  if (id === 'expose' && error.message.startsWith('Unexpected argument'))
    hints.push('A name stands behind --name: connect expose [HOST:]PORT --name NAME')
  return hints
}

/** Of what oclif's parser throws, what its types don't tell. */
type UsageError = Errors.CLIError & {
  readonly parse?: { readonly output?: { readonly argv?: readonly unknown[] } }
  /** Those that nobody knows. */
  readonly flags?: readonly string[]
}
