import { Errors } from '@oclif/core'

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

/** What was most likely meant, where another program is used that way. */
export function usageHints(error: Errors.CLIError, id: string | undefined): string[] {
  const { parse } = error as { parse?: { output?: { argv?: readonly unknown[] } } }
  const words = (parse?.output?.argv ?? []).filter((word) => !String(word).startsWith('-'))
  if (id === 'reach' && words.length > 1 && error.message.startsWith('Nonexistent flag'))
    return ['A program and its options stand behind --: connect reach NAME -- PROGRAM [ARG]...']
  if (id === 'expose' && error.message.startsWith('Unexpected argument'))
    return ['A name stands behind --name: connect expose [HOST:]PORT --name NAME']
  return []
}
