import { ConnectError } from '../../errors.ts'

/** An invite or a join token, also where a flag or an address stands before it. */
const SECRET = /(?:^|\W)(?:inv_[\w-]{40}|tok_[0-9a-f]{40})/

/**
 * Refuses a secret in the command line before anything repeats it: an error, a log, a name that is looked up.
 *
 * @param argv without the words of another program
 * @throws ConnectError SECRET_TYPED
 */
export function refuseSecrets(argv: readonly string[]): void {
  if (!argv.some((word) => SECRET.test(word))) return
  throw new ConnectError(
    'SECRET_TYPED',
    'An invite or a join token must not stand in the command line: all users of this machine can read it there',
  )
}
