import { shortHash } from '../config/instance-name.ts'
import type { Instance } from '../config/instance.ts'
import { HOST_SUFFIX, isServiceName } from '../config/service-name.ts'
import { ConnectError } from '../errors.ts'
import { sshQuote } from '../text/ssh-quote.ts'

/** How a later process calls this program. */
export interface Caller {
  /** Absolute paths: Node.js, and the script. */
  readonly program: readonly string[]
  /** Where it is not the default one. */
  readonly instance: Pick<Instance, 'name' | 'configFile'> | undefined
}

/** A setting of ssh_config(5), and its value. */
type Setting = readonly [string, string]

/**
 * By what ssh goes to a service: through `reach --stdio`. The service has a host's name of its own, so that
 * no machine of the same name, and no service of another instance's hub, lends it a host key, or a connection
 * that is shared (ControlPath).
 */
export function settingsFor(name: string, caller: Caller): Setting[] {
  const host = `${name}${labelOf(caller)}${HOST_SUFFIX}`
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

/** What tells another instance's hosts from those of the default one: a label of a host's name. */
function labelOf({ instance }: Caller): string {
  if (!instance) return ''
  const { name, configFile } = instance
  return `.${isServiceName(name) ? name : shortHash(configFile).slice(0, 8)}`
}

function proxyCommand(name: string, { program, instance }: Caller): string {
  const options = instance ? ['--config', instance.configFile] : []
  const words = [...program, ...options].map(sshQuote)
  if (words.some((word) => word.includes('\n')))
    throw new ConnectError('BAD_VALUE', 'A ProxyCommand can’t hold a path with a line break in it')
  return [...words.slice(0, program.length), 'reach', name, '--stdio', ...words.slice(program.length)].join(
    ' ',
  )
}

function block(host: string, settings: readonly Setting[]): string {
  return [`Host ${host}`, ...settings.map(([key, value]) => `  ${key} ${value}`), ''].join('\n')
}
