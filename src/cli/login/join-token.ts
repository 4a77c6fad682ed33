import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { ConnectError, messageOf } from '../../errors.ts'
import { givenPath } from '../../files/given-path.ts'
import { readTrusted } from '../../files/read-trusted.ts'
import { parseJoinToken } from '../../hub-client/login.ts'

/**
 * Where a join token comes from: a file, the environment, a person. Never the command line, which every user
 * of the machine can read.
 *
 * @param tokenFile the value of --token-file; `-` is stdin
 * @throws ConnectError BAD_TOKEN, TOKEN_MISSING
 */
export async function readJoinToken(tokenFile: string | undefined, env = process.env): Promise<string> {
  if (tokenFile === '-') return parseJoinToken(await text(process.stdin))
  if (tokenFile !== undefined) return parseJoinToken(readTokenFile(givenPath(tokenFile)))
  if (env.PRIVATECONNECT_TOKEN) return parseJoinToken(env.PRIVATECONNECT_TOKEN)
  if (!process.stdin.isTTY || !process.stderr.isTTY) {
    throw new ConnectError('TOKEN_MISSING', 'There is no join token')
  }
  return parseJoinToken(await askSecretly('Join token (from whoever runs the hub): '))
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

/** Asks on the terminal without showing what is typed. */
async function askSecretly(question: string): Promise<string> {
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true })
  // Asked only now: a key that comes before the terminal is ours is lost, and is shown.
  process.stderr.write(question)
  // Without a listener readline only pauses on Ctrl-C, and the command would end as if nothing was wrong.
  lines.on('SIGINT', () => {
    process.stderr.write('\n')
    process.exit(130)
  })
  const { promise: typed, resolve, reject } = Promise.withResolvers<string>()
  lines.once('line', resolve)
  // Ctrl-D, or the terminal is gone.
  lines.once('close', () => reject(new ConnectError('TOKEN_MISSING', 'No join token was typed')))
  try {
    return await typed
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
