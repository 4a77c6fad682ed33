import { rmSync } from 'node:fs'
import { ConnectError, messageOf } from '../errors.ts'

/** Removes a file if it is there. @throws ConnectError WRITE_FAILED */
export function removeFile(file: string): void {
  try {
    rmSync(file, { force: true })
  } catch (error) {
    throw new ConnectError('WRITE_FAILED', `Could not remove ${file}: ${messageOf(error)}`, { cause: error })
  }
}
