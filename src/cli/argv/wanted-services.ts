import { parseServiceName, serviceOfHost } from '../../config/service-name.ts'
import { ConnectError } from '../../errors.ts'
import { parsePort } from '../flags.ts'

export interface WantedService {
  readonly name: string
  /** 0 for a free one; undefined for the service's own, or the next free one. */
  readonly port: number | undefined
}

/**
 * Parses `NAME[:PORT] …`.
 *
 * @param given.port the value of --port
 * @param given.forOne options that are given, and go with one service only
 * @throws ConnectError BAD_NAME, BAD_VALUE
 */
export function wantedServices(
  texts: readonly string[],
  given: { port: string | undefined; forOne: readonly string[] },
): WantedService[] {
  const wanted = texts.map(parseWanted)
  const [only] = wanted
  const [option] = given.forOne
  if (wanted.length > 1 && option !== undefined) {
    const hints = [
      option === '--port' ? 'Give each its port by NAME:PORT.' : 'Run connect reach once for each of them.',
    ]
    throw refused(`${option} is for one service, and ${wanted.length} are named`, hints)
  }
  const again = wanted.find(({ name }, at) => wanted.findIndex((one) => one.name === name) < at)
  if (again) throw refused(`"${again.name}" is named twice`)
  const shared = wanted.find(({ port }, at) => port && wanted.findIndex((one) => one.port === port) < at)
  if (shared) throw refused(`Port ${shared.port} is given to two services`)
  if (given.port === undefined) return wanted
  if (only!.port !== undefined) throw refused(`The port of "${only!.name}" is given twice`)
  return [{ ...only!, port: parsePort(given.port) }]
}

function parseWanted(text: string): WantedService {
  const [, name = '', port] = /^([^:]*)(?::(.*))?$/s.exec(text)!
  return {
    name: parseServiceName(serviceOfHost(name)),
    port: port === undefined ? undefined : parsePort(port),
  }
}

function refused(message: string, hints?: readonly string[]): ConnectError {
  return new ConnectError('BAD_VALUE', message, hints && { hints })
}
