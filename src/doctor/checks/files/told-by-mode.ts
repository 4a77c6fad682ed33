import path from 'node:path'
import type { ErrorCode } from '../../../error-codes.ts'
import { ConnectError } from '../../../errors.ts'
import type { Patient } from '../../context.ts'
import { Skipped } from '../../way/skipped.ts'
import { hasWrongMode } from './modes.ts'
import { ourFiles } from './our-files.ts'
import { isForeign } from './owners.ts'

/** What a file is refused by for its owner or mode. */
const OF_MODE: ReadonlySet<ErrorCode> = new Set(['CONFIG_EXPOSED', 'CONFIG_UNREADABLE', 'FILE_UNTRUSTED'])

/**
 * Reads files of ours. What keeps it from that may be what the checks of owners and modes tell.
 *
 * @throws Skipped then
 */
export async function unlessToldByMode<T>(
  patient: Patient,
  files: readonly string[],
  read: () => T | Promise<T>,
): Promise<T> {
  try {
    return await read()
  } catch (error) {
    const isTold =
      error instanceof ConnectError && OF_MODE.has(error.code) && files.some((file) => isWrong(patient, file))
    throw isTold ? new Skipped('Not looked at, since an owner or a mode is wrong', { cause: error }) : error
  }
}

/** Its own, or that of a folder of ours that it lies in. */
function isWrong(patient: Patient, file: string): boolean {
  return ourFiles(patient)
    .filter((one) => one.file === file || file.startsWith(`${one.file}${path.sep}`))
    .some((one) => isForeign(one) || hasWrongMode(one, patient.instance))
}
