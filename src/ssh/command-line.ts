import { isServiceName, serviceOfHost } from '../config/service-name.ts'

/** What is behind `connect ssh`. */
export interface SshCommandLine {
  /** As it was typed. */
  readonly configFile: string | undefined
  /** Services to print an ssh_config for; undefined: ssh is to be run. */
  readonly printed: readonly string[] | undefined
  /** Those of ssh, untouched. */
  readonly args: readonly string[]
}

/**
 * Tells our `--config FILE`, which stands before all else, from `--config [NAME…]`, which prints: a service's
 * name has neither a dot nor a slash, so what has one is a file.
 */
export function parseSshWords(words: readonly string[], configFile?: string): SshCommandLine {
  const [first = '', next, ...rest] = words
  const [option, ...value] = first.split('=')
  if (option !== '--config') return { configFile, printed: undefined, args: words }
  if (value.length > 0) return parseSshWords(words.slice(1), value.join('='))
  const isFile = next !== undefined && !next.startsWith('-') && !isServiceName(serviceOfHost(next))
  if (isFile) return parseSshWords(rest, next)
  return { configFile, printed: words.slice(1).map(serviceOfHost), args: [] }
}
