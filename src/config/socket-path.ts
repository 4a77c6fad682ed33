import * as v from 'valibot'
import { ConnectError } from '../errors.ts'
import { givenPath } from '../files/given-path.ts'

/** sun_path without its closing NUL, in bytes: 108 with it on Linux (unix(7)), 104 elsewhere (unix(4)). */
const MAX_BYTES = process.platform === 'linux' ? 107 : 103

/** Where a Unix socket lies: an absolute path that fits into sun_path. */
export const SocketPath = v.pipe(v.string(), v.regex(/^\/\P{Cc}*$/u, 'not a path'), v.maxBytes(MAX_BYTES))

/**
 * @param code of what is thrown: the path is a target's, or an option's value
 * @returns the absolute path
 * @throws ConnectError
 */
export function parseSocketPath(text: string, code: 'BAD_TARGET' | 'BAD_VALUE'): string {
  const refusal = (message: string, hint: string) => new ConnectError(code, message, { hints: [hint] })
  if (process.platform === 'win32')
    throw refusal('On Windows there are no Unix sockets for this', 'Give a TCP port.')
  if (text.startsWith('@'))
    throw refusal(
      `"${text}" is an abstract socket, which any user of the machine could take and no mode protects`,
      `Have the program listen at a file. If it is the file’s name that begins with @: ./${text}`,
    )
  if (text.startsWith('~'))
    throw refusal(
      `In "${text}" the ~ is not your home folder: a shell puts that in only where a word begins with it`,
      'Write $HOME for it.',
    )
  if (/\p{Cc}/u.test(text))
    throw refusal('The path has a control character in it', 'Give the socket another name.')
  const file = givenPath(text)
  const bytes = Buffer.byteLength(file)
  if (bytes > MAX_BYTES)
    throw refusal(
      `${file} is too long for a Unix socket: it has ${bytes} bytes, and the system takes ${MAX_BYTES}`,
      'Give a shorter path, for example by a link to its folder: ln -s FOLDER /tmp/short',
    )
  return file
}
