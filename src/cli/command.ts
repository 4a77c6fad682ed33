import { Command, Config, Errors, type Interfaces } from '@oclif/core'
import { ConnectError, messageOf } from '../errors.ts'

/** What all our commands share: how they speak, and how they fail. */
export abstract class ConnectCommand extends Command {
  /** oclif loads all of the config once more for each command; the one that it has just loaded is the same. */
  static override async run<T extends Command>(
    this: new (argv: string[], config: Config) => T,
    argv?: string[],
    options?: Interfaces.LoadOptions,
  ): Promise<ReturnType<T['run']>> {
    if (!(options instanceof Config))
      return Command.run.call(this, argv, options) as Promise<ReturnType<T['run']>>
    const command = new this(argv ?? [], options) as T & { _run(): Promise<ReturnType<T['run']>> }
    return command._run()
  }

  /** A line on stdout that is a result. Nothing with --json. */
  protected say(line = ''): void {
    this.log(line)
  }

  /** A line on stderr that is no result: a warning, a hint. */
  protected tell(line: string): void {
    this.logToStderr(line)
  }

  /** Whether someone watches: then progress moves, elsewhere only results are printed. */
  protected get interactive(): boolean {
    const { CI, NO_COLOR, TERM } = process.env
    return (
      process.stdout.isTTY &&
      process.stderr.isTTY &&
      !this.jsonEnabled() &&
      !CI &&
      !NO_COLOR &&
      TERM !== 'dumb'
    )
  }

  /** An error is one sentence, why, and what to do next; a stack trace only for a bug, or with DEBUG. */
  protected override async catch(error: Error & { oclif?: { exit?: number } }): Promise<void> {
    if (error instanceof Errors.ExitError) throw error
    process.exitCode = exitCodeOf(error)
    if (this.jsonEnabled()) return this.logJson(this.toErrorJson(error))
    const [first, ...rest] = linesOf(error, this.config.bin, this.id)
    process.stderr.write(`[x] ${[first, ...rest.map((line) => `  ${line}`)].join('\n')}\n`)
    if (process.env.DEBUG) process.stderr.write(`${error.stack}\n`)
  }

  protected override toErrorJson(error: unknown): unknown {
    const code = error instanceof ConnectError ? error.code : isUsageError(error) ? 'USAGE' : 'INTERNAL'
    const hints = error instanceof ConnectError ? error.hints : []
    return { error: { code, message: messageOf(error), hints } }
  }
}

/** What oclif throws for a command line that can't be understood. */
function isUsageError(error: unknown): boolean {
  return error instanceof Error && 'parse' in error
}

function exitCodeOf(error: Error & { oclif?: { exit?: number } }): number {
  if (error instanceof ConnectError) return 1
  return isUsageError(error) ? 2 : (error.oclif?.exit ?? 1)
}

function linesOf(error: Error, bin: string, id: string | undefined): string[] {
  if (error instanceof ConnectError) return [error.message, ...error.hints]
  if (isUsageError(error)) {
    const [message = ''] = error.message.replace(/\nSee more help with --help$/, '').split('\n\n')
    return [...message.split('\n'), `See: ${bin} ${(id ?? '').replaceAll(':', ' ')} --help`]
  }
  return [`Unexpected error: ${error.message}`, 'This is a bug in Private Connect; DEBUG=1 shows where.']
}
