import { ConnectError, ERRORS } from '../errors.ts'

/** @param names services that the hub doesn't offer */
export function unknownService(names: readonly string[]): ConnectError {
  // Other programs take the local port as a word of its own.
  const hint = names.some((name) => /^\d+$/.test(name))
    ? ['A local port stands behind a colon: connect reach NAME:PORT']
    : []
  const quoted = names.map((name) => `"${name}"`).join(' or ')
  return new ConnectError('SERVICE_UNKNOWN', `There is no service ${quoted}`, {
    hints: [...hint, ERRORS.SERVICE_UNKNOWN.fix],
  })
}
