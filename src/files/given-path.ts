import path from 'node:path'
import { codeOf, ConnectError } from '../errors.ts'

let isGone = false

/**
 * Leaves a working folder that was deleted: Node.js starts no worker thread in one, and fails wherever a path
 * is made absolute. To be called before any other thing.
 */
export function leaveDeletedFolder(): void {
  try {
    process.cwd()
  } catch (error) {
    if (codeOf(error) !== 'ENOENT') throw error
    isGone = true
    process.chdir('/')
  }
}

/** The absolute path of a file that someone has named. @throws ConnectError BAD_VALUE if it leads nowhere */
export function givenPath(text: string): string {
  if (text === '') throw new ConnectError('BAD_VALUE', 'The path of a file is empty')
  if (!isGone || path.isAbsolute(text)) return path.resolve(text)
  throw new ConnectError('BAD_VALUE', `The working folder was deleted, so ${text} leads nowhere`, {
    hints: ['Give its full path, or change to a folder that is there: cd'],
  })
}
