import { text } from 'node:stream/consumers'
import { ConnectError, messageOf } from '../../errors.ts'
import { givenPath } from '../../files/given-path.ts'
import { readTrusted } from '../../files/read-trusted.ts'
import { looksLikeInvite, parseInvite, type Invite } from '../../tunnel/protocol/invite.ts'
import { parseJoinToken } from '../../tunnel/protocol/join-token.ts'
import { askSecretly } from './ask-secretly.ts'

/** What lets this machine join: an invite, or a token alone, which doesn't tell of which hub it is. */
export type JoinSecret =
  Invite | { readonly token: string; readonly address?: never; readonly fingerprint?: never }

/**
 * Where it comes from: a file, the environment, a person. Never the command line, which every user of the
 * machine can read.
 *
 * @param tokenFile the value of --token-file; `-` is stdin
 * @throws ConnectError BAD_TOKEN, BAD_INVITE, TOKEN_MISSING
 */
export async function readJoinSecret(tokenFile: string | undefined, env = process.env): Promise<JoinSecret> {
  if (tokenFile === '-') return parse(await text(process.stdin))
  if (tokenFile !== undefined) return parse(readTokenFile(givenPath(tokenFile)))
  if (env.PRIVATECONNECT_TOKEN) return parse(env.PRIVATECONNECT_TOKEN)
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new ConnectError('TOKEN_MISSING', 'There is no invite, and no join token')
  }
  return parse(await askSecretly('Invite or join token (from whoever runs the hub): '))
}

function parse(text: string): JoinSecret {
  return looksLikeInvite(text) ? parseInvite(text) : { token: parseJoinToken(text) }
}

function readTokenFile(file: string): string {
  try {
    return readTrusted(file, { pipe: true })
  } catch (error) {
    throw new ConnectError('BAD_TOKEN', `Could not read the join token: ${messageOf(error)}`, {
      cause: error,
      ...(error instanceof ConnectError && { hints: error.hints }),
    })
  }
}
