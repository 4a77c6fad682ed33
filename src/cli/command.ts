import { homedir } from 'node:os'
import { sep } from 'node:path'
import { inspect } from 'node:util'
import { Command, Config, Errors, type Interfaces } from '@oclif/core'
import { ERRORS, type ErrorCode } from '../error-codes.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { explainOperationalError } from '../runtime/operational-error.ts'
import type { NextStep } from '../tasks/machine/next-step.ts'
import { printable, printableJson } from '../text/printable.ts'
import { addConfigFlag } from './add-config-flag.ts'
import type { DataCommand } from './data-command.ts'
import { exitIfHung, exitNow } from './exit.ts'
import { formatChoice, formatNext } from './format/next.ts'
import { columnsOf, wrapLine } from './output/wrap-line.ts'
import { isUsageError, usageHints, usageLines } from './usage-error.ts'

/** What all our commands share: how they speak, and how they fail. */
export abstract class ConnectCommand extends Command {
  /**
   * oclif loads all of the config once more for each command; the one that it has just loaded is the same.
   */
  static override async run<T extends Command>(
    this: new (argv: string[], config: Config) => T,
    argv?: string[],
    options?: Interfaces.LoadOptions,
  ): Promise<ReturnType<T['run']>> {
    if (!(options instanceof Config))
      return Command.run.call(this, argv, options) as Promise<ReturnType<T['run']>>
    const command = new this(argv ?? [], options) as T & { _run(): Promise<ReturnType<T['run']>> }
    const running: Promise<ReturnType<T['run']>> = command._run()
    const [{ status }] = await Promise.allSettled([running])
    if (command instanceof ConnectCommand && command.#dataCommand) {
      await command.#dataCommand.end()
      // Node.js 24 now and then spins for ever as it closes what is left open, sockets among it.
      if (status === 'fulfilled') exitNow()
    }
    await exitIfHung()
    return running
  }

  /** The value of --config, once parsed. */
  #configFile: string | undefined
  /** Not yet in a document. */
  readonly #warnings: string[] = []
  /** Set once the command is a data command at work. */
  #dataCommand: DataCommand | undefined

  protected override async parse<
    F extends Interfaces.OutputFlags<F>,
    B extends Interfaces.OutputFlags<B>,
    A extends Interfaces.OutputArgs<A>,
  >(options?: Interfaces.Input<F, B, A>, argv?: string[]): Promise<Interfaces.ParserOutput<F, B, A>> {
    const parsed = await super.parse<F, B, A>(options, argv)
    const { config } = parsed.flags as { config?: unknown }
    if (typeof config === 'string') this.#configFile = config
    return parsed
  }

  /** A line on stdout that is a result; whatever stands in it, it stays one line. Nothing with --json. */
  protected print(line = ''): void {
    this.log(wrapLine(printable(addConfigFlag(line, this.#configFile)), columnsOf(1)))
  }

  /** A line on stderr that is no result: a warning, a hint. */
  protected printError(line: string): void {
    this.logToStderr(wrapLine(printable(addConfigFlag(line, this.#configFile)), columnsOf(2)))
  }

  /**
   * What is not as it should be: `[!]` on stderr; with --json it is in the document's `warnings`.
   *
   * @param fix what to do about it, a line of its own
   */
  protected printWarning(what: string, fix?: string): void {
    this.printError(`[!] ${what}`)
    if (fix !== undefined) this.printError(`  ${fix}`)
    this.#warnings.push([what, fix].filter((part) => part !== undefined).join('. '))
  }

  /** What to run next, where nobody is served before that is run. */
  protected tellNext(command: string, note: string | null = null): void {
    this.printError(formatNext({ command, note }))
  }

  /** The same of a step that was found out. */
  protected tellStep({ command, note }: NextStep): void {
    this.tellNext(command, note)
  }

  /** What most likely comes next, for whoever watches: on a terminal only. */
  protected suggestNext(command: string, note: string | null = null): void {
    if (this.isWatched) this.tellNext(command, note)
  }

  /** The same of several, of which one is to be chosen. */
  protected suggestChoice(steps: readonly NextStep[]): void {
    if (this.isWatched) for (const line of formatChoice(steps)) this.printError(line)
  }

  /** Whether what is said is read by a person at a terminal. */
  protected get isWatched(): boolean {
    return process.stdout.isTTY && process.stderr.isTTY && !this.jsonEnabled()
  }

  override log(line = ''): void {
    if (!this.#dataCommand) super.log(line)
    else if (!this.jsonEnabled()) this.#dataCommand.stdout.write(line)
  }

  override logToStderr(line = ''): void {
    if (!this.#dataCommand) super.logToStderr(line)
    else if (!this.jsonEnabled()) this.#dataCommand.stderr.write(line)
  }

  /** Prints JSON as oclif does, but for what a terminal must not see. */
  override logJson(json: unknown): void {
    this.#writeJson(printableJson(json, 2))
  }

  /** The same on one line, for what is one of several. */
  protected logJsonLine(json: unknown): void {
    this.#writeJson(printableJson(json))
  }

  #writeJson(text: string): void {
    if (this.#dataCommand) this.#dataCommand.stdout.write(text)
    else process.stdout.write(`${text}\n`)
  }

  /** Is a data command until someone stops it, see DataCommand and untilInterrupted. */
  protected async carryData(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    const { DataCommand } = await import('./data-command.ts')
    this.#dataCommand = new DataCommand()
    await this.#dataCommand.run(work)
  }

  /** Is a data command beside a program that has its terminal and its signals, until that one ends. */
  protected async carryDataBeside(program: () => Promise<void>): Promise<void> {
    const { DataCommand } = await import('./data-command.ts')
    this.#dataCommand = new DataCommand({ isBeside: true })
    await program()
  }

  /** Whether someone watches: then progress moves, elsewhere only results are printed. */
  protected get interactive(): boolean {
    const { CI, NO_COLOR, TERM } = process.env
    return this.isWatched && !CI && !NO_COLOR && TERM !== 'dumb'
  }

  /** An error is one sentence, why, and what to do next; a stack trace only for a bug, or with DEBUG. */
  protected override async catch(thrown: Error): Promise<void> {
    if (thrown instanceof Errors.ExitError) throw thrown
    const error = explainOperationalError(thrown) as Error
    process.exitCode = exitCodeOf(error)
    const hints = await this.#hintsOf(error)
    if (this.jsonEnabled()) return this.logJson(this.#errorDocument(error, hints))
    // The rest may hold commands, and ~ means nothing between quotes.
    const [first = '', ...rest] = [...linesOf(error), ...hints]
    const lines = [
      `[x] ${first.replaceAll(`${homedir()}${sep}`, '~/')}`,
      ...this.#withConfigFlag(rest).map((line) => `  ${line}`),
    ]
    const shown = lines.map((line) => wrapLine(printable(line), columnsOf(2)))
    if (process.env.DEBUG) shown.push(...inspect(error).split('\n').map(printable))
    const text = shown.join('\n')
    if (this.#dataCommand) this.#dataCommand.stderr.write(text)
    else process.stderr.write(`${text}\n`)
  }

  protected override toSuccessJson(result: object): unknown {
    return { ...result, warnings: this.#takeWarnings() }
  }

  #errorDocument(error: Error, hints: readonly string[]): unknown {
    const code = error instanceof ConnectError ? error.code : isUsageError(error) ? 'USAGE' : 'INTERNAL'
    const message = isUsageError(error) ? usageLines(error).join(' ') : messageOf(error)
    return {
      error: { code, message, hints: this.#withConfigFlag(hints) },
      warnings: this.#takeWarnings(),
    }
  }

  /** What to do next. */
  async #hintsOf(error: Error): Promise<readonly string[]> {
    const { bin } = this.config
    const help = `See: ${bin} ${(this.id ?? '').replaceAll(':', ' ')} --help`
    if (error instanceof ConnectError)
      return error.hints.map((hint) => (hint === ERRORS.BAD_VALUE.fix ? help : hint))
    if (isUsageError(error))
      return [...(await usageHints(error, this.config.findCommand(this.id ?? ''))), help]
    return ['This is a bug in Private Connect; DEBUG=1 shows where.']
  }

  /** Of several documents each has its own. */
  #takeWarnings(): string[] {
    return this.#withConfigFlag(this.#warnings.splice(0))
  }

  #withConfigFlag(lines: readonly string[]): string[] {
    return lines.map((line) => addConfigFlag(line, this.#configFile))
  }
}

/** Values that no state of the machine could make right. */
const USAGE_CODES: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  'BAD_HUB_URL',
  'BAD_NAME',
  'BAD_TARGET',
  'BAD_VALUE',
])

/** As of a shell that can't run what it is given (POSIX XCU §2.8.2). */
const EXIT_CODES: Partial<Record<ErrorCode, number>> = { PROGRAM_MISSING: 127, PROGRAM_UNUSABLE: 126 }

function exitCodeOf(error: unknown): number {
  if (error instanceof ConnectError) return EXIT_CODES[error.code] ?? (USAGE_CODES.has(error.code) ? 2 : 1)
  return isUsageError(error) ? 2 : 1
}

function linesOf(error: Error): string[] {
  if (error instanceof ConnectError) return [error.message]
  return isUsageError(error) ? usageLines(error) : [`Unexpected error: ${error.message}`]
}
