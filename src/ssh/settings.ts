import { HOST_SUFFIX } from '../config/service-name.ts'
import { ConnectError } from '../errors.ts'
import { sshQuote } from '../text/ssh-quote.ts'

/** How a later process calls this program. */
export interface Caller {
  /** Absolute paths: Node.js, and the script. */
  readonly program: readonly string[]
  /** Absolute path, where it is not the default instance. */
  readonly configFile: string | undefined
}

/** A setting of ssh_config(5), and its value. */
type Setting = readonly [string, string]

/**
 * By what ssh goes to a service: through `reach --stdio`. The service has a host's name of its own, so that
 * no machine of the same name lends it a host key, or a connection that is shared (ControlPath).
 */
export function settingsFor(name: string, caller: Caller): Setting[] {
  const host = `${name}${HOST_SUFFIX}`
  return [
    ['HostName', host],
    // Whatever port is asked for, it is the same server.
    ['HostKeyAlias', host],
    ['ProxyCommand', proxyCommand(name, caller)],
  ]
}

/**
 * What goes into an ssh_config.
 *
 * @param names services that it is for; none: all of them, as NAME.privateconnect
 * @throws ConnectError BAD_VALUE
 */
export function sshConfig(names: readonly string[], caller: Caller): string {
  const settings =
    names.length === 0
      ? [block(`*${HOST_SUFFIX}`, [['ProxyCommand', proxyCommand('%h', caller)]])]
      : names.map((name) => block(name, settingsFor(name, caller)))
  return settings.join('\n')
}

function proxyCommand(name: string, { program, configFile }: Caller): string {
  const instance = configFile === undefined ? [] : ['--config', configFile]
  const words = [...program, ...instance].map(sshQuote)
  if (words.some((word) => word.includes('\n')))
    throw new ConnectError('BAD_VALUE', 'A ProxyCommand can’t hold a path with a line break in it')
  return [...words.slice(0, program.length), 'reach', name, '--stdio', ...words.slice(program.length)].join(
    ' ',
  )
}

function block(host: string, settings: readonly Setting[]): string {
  return [`Host ${host}`, ...settings.map(([key, value]) => `  ${key} ${value}`), ''].join('\n')
}
