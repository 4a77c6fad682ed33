import { connectable } from '../../config/target.ts'
import type { Command } from './reach-line.ts'

/** A program that is to be run, and with which environment. */
interface Program {
  readonly command: Command
  readonly env: NodeJS.ProcessEnv
}

/**
 * Tells a program where the service is: `{host}` and `{port}` in its arguments are replaced, and CONNECT_HOST
 * and CONNECT_PORT are set.
 *
 * @param at.addresses what is listened on
 */
export function programAt(
  [program, ...args]: Command,
  env: NodeJS.ProcessEnv,
  at: { addresses: readonly string[]; port: number },
): Program {
  const [address = ''] = at.addresses
  const host = connectable(address)
  const values = { '{host}': host, '{port}': String(at.port) }
  const filled = args.map((arg) =>
    arg.replaceAll(/\{(?:host|port)\}/g, (word) => values[word as keyof typeof values]),
  )
  return {
    command: [program, ...filled],
    env: { ...env, CONNECT_HOST: host, CONNECT_PORT: values['{port}'] },
  }
}
