import { ConnectError } from '../../errors.ts'

/** What lets a machine join a hub; see hub/store/join-token.ts. */
export const JOIN_TOKEN = /^tok_\w{1,100}$/

/** @throws ConnectError BAD_TOKEN, without the token in it */
export function parseJoinToken(text: string): string {
  const token = text.trim()
  if (token === '') throw new ConnectError('BAD_TOKEN', 'The join token is empty')
  if (!JOIN_TOKEN.test(token))
    throw new ConnectError(
      'BAD_TOKEN',
      'This is neither an invite nor a join token: they begin with inv_ and tok_',
    )
  return token
}
