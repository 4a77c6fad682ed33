import { ERRORS, isErrorCode } from '../../error-codes.ts'
import { codeOf, ConnectError, messageOf } from '../../errors.ts'
import { printable } from '../../text/printable.ts'

/** What is longer is no sentence for people, in characters. */
const MAX_LINE = 1000

/** How many lines of a program's output are worth showing below an error. */
const MAX_LINES = 5

const SILENT = 'it failed and did not say why'

/**
 * What a plugin threw, as the user is told. One of our codes is kept, with its message; anything else is
 * PLATFORM_FAILED, with the platform's name before the message.
 */
export function pluginError(platform: string, thrown: unknown): ConnectError {
  if (thrown instanceof ConnectError) return thrown
  const [first = SILENT, ...rest] = linesOf(thrown)
  const code = codeOf(thrown)
  const known = code !== undefined && isErrorCode(code) ? code : undefined
  const fix = hintsOf(thrown) ?? [ERRORS[known ?? 'PLATFORM_FAILED'].fix]
  return new ConnectError(
    known ?? 'PLATFORM_FAILED',
    known === undefined ? `Platform ${platform}: ${first}` : first,
    {
      hints: [...rest.slice(0, MAX_LINES), ...fix],
      cause: thrown,
    },
  )
}

/** What was thrown, in one line. */
export function sentenceOf(thrown: unknown): string {
  return linesOf(thrown)[0] ?? SILENT
}

/** The message in lines fit to be shown, the first without its full stop. */
function linesOf(thrown: unknown): string[] {
  const lines = messageOf(thrown).split(/\r?\n/)
  const [first, ...rest] = lines
    .map((line) => printable(line.trim().slice(0, MAX_LINE)))
    .filter((line) => line !== '')
  return first === undefined ? [] : [first.replace(/(?<!\.)\.$/, ''), ...rest]
}

function hintsOf(thrown: unknown): string[] | undefined {
  if (!(thrown instanceof Error) || !('hints' in thrown) || !Array.isArray(thrown.hints)) return undefined
  const hints: unknown[] = thrown.hints
  return hints.every((hint) => typeof hint === 'string') ? hints.map(printable) : undefined
}
