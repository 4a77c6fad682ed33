import { Errors } from '@oclif/core'
import { parseSocketPath } from '../../config/socket-path.ts'
import { ConnectError } from '../../errors.ts'
import { wantedServices, type WantedService } from './wanted-services.ts'

/** What a command line of `reach` asks for. */
export type ReachLine =
  | { readonly does: 'list' }
  | { readonly does: 'carry stdio'; readonly name: string }
  | { readonly does: 'keep'; readonly services: readonly WantedService[] }
  | {
      readonly does: 'listen'
      readonly services: readonly (WantedService & { readonly socketPath: string | undefined })[]
      /** What to run, and to end with. */
      readonly program: Command | undefined
    }

export type Command = readonly [program: string, ...args: string[]]

/** Those that are given, as oclif has parsed them. */
interface Flags {
  readonly port?: string | undefined
  readonly bind?: string | undefined
  readonly socket?: string | undefined
  readonly keep?: boolean
  readonly stdio?: boolean
  readonly json?: boolean | undefined
}

/**
 * Tells what is asked for, and refuses what does not go together; oclif has refused the options that exclude
 * each other.
 *
 * @param names undefined if there are none
 * @param foreign what is behind `--`; undefined if there is no such
 * @throws ConnectError BAD_NAME, BAD_VALUE, or CLIError
 */
export function parseReachLine(
  names: readonly string[] | undefined,
  flags: Flags,
  foreign: readonly string[] | undefined,
): ReachLine {
  const given = (...all: (keyof Flags)[]) => all.filter((name) => name in flags).map((name) => `--${name}`)
  const dashes = foreign ? ['--'] : []
  if (names === undefined) {
    const [needy] = [...given('keep', 'port', 'bind', 'socket', 'stdio'), ...dashes]
    if (needy !== undefined) throw new Errors.CLIError(`${needy} needs the name of a service`)
    return { does: 'list' }
  }
  const forOne = [...given('port', 'socket', 'stdio'), ...dashes]
  const services = wantedServices(names, { port: flags.port, forOne })
  const program = foreign && commandOf(foreign, given('json', 'keep', 'socket', 'stdio'))
  const [only] = services
  const [portless] = given('socket', 'stdio')
  if (portless !== undefined && only!.port !== undefined)
    throw new ConnectError('BAD_VALUE', `${portless} and a port can’t be used together`)
  if (flags.stdio) return { does: 'carry stdio', name: only!.name }
  if (flags.keep) return { does: 'keep', services }
  const socketPath = flags.socket === undefined ? undefined : parseSocketPath(flags.socket, 'BAD_VALUE')
  return { does: 'listen', services: services.map((one) => ({ ...one, socketPath })), program }
}

/** @param unfit options that are given, and don't go with a program @throws ConnectError BAD_VALUE */
function commandOf([program, ...args]: readonly string[], [unfit]: readonly string[]): Command {
  if (program === undefined) throw new ConnectError('BAD_VALUE', 'There is no program behind --')
  if (unfit !== undefined)
    throw new ConnectError('BAD_VALUE', `${unfit} and a program behind -- can’t be used together`)
  return [program, ...args]
}
