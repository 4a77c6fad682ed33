import { statSync } from 'node:fs'

export class NotAFileError extends Error {
  override readonly name = 'NotAFileError'
}

/** A FIFO would be waited for, for ever, and a folder has no content. No file at all is fine. */
export function checkIsFile(file: string): void {
  if (statSync(file, { throwIfNoEntry: false })?.isFile() === false)
    throw new NotAFileError('it is not a file')
}
