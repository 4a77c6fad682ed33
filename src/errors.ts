import { ERRORS, type ErrorCode } from './error-codes.ts'

/** An error that is meant for the user: one sentence, and what to do next. Anything else thrown is a bug. */
export class ConnectError extends Error {
  override readonly name = 'ConnectError'
  readonly code: ErrorCode
  /** Lines printed below the message: why, where to look, what to run. */
  readonly hints: readonly string[]
  /** The one act among them, or in their place: `connect doctor` tells no more. */
  readonly fix: string

  /**
   * @param message what happened, one sentence without a full stop
   * @param hints replaces the table's fix where the place that throws knows better
   * @param fix default the first of the hints: to be given where that is no act
   */
  constructor(
    code: ErrorCode,
    message: string,
    options: { hints?: readonly string[]; fix?: string | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? {} : { cause: options.cause })
    this.code = code
    this.hints = options.hints ?? [ERRORS[code].fix]
    this.fix = options.fix ?? this.hints[0] ?? ERRORS[code].fix
  }
}

/** The text of anything thrown, without the class name. */
export function messageOf(error: unknown): string {
  try {
    return String(error instanceof Error ? error.message : error)
  } catch {
    // What a plugin throws need be no error, nor a value that has a text.
    return 'it threw what can’t be told'
  }
}

/** The `code` of a Node.js system error (`ENOENT`), if it has one. */
export function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined
}
