import { accessSync, constants, existsSync, statfsSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../../errors.ts'
import { counted } from '../../../text/counted.ts'
import { tilde } from '../../../text/tilde.ts'
import type { Check, Finding } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** Below this nothing can be written any more, not even why, in bytes. */
const FULL = 1024 * 1024

/** The log alone takes up to 40 MB, its older parts included, in bytes. */
const LOW = 100 * 1024 * 1024

/** Files that could still be made, where the file system counts them. */
const FEW_FILES = 100

/** An agent on a full disk runs on, but can neither log nor save, and no other can start. */
export const diskSpace: Check<DoctorContext> = {
  name: 'disk-space',
  group: 'files',
  title: 'Disk space',
  async run({ instance }) {
    const folder = nearest(instance.folder)
    const isReadOnly = readOnly(folder)
    if (isReadOnly)
      return {
        state: 'failed',
        seen: `${tilde(folder)} lies on a disk that is mounted read-only`,
        fix: `Mount it again so that it can be written; which one it is, says: df ${tilde(folder)}`,
      }
    const { bavail, bsize, ffree, files } = statfsSync(folder)
    return judge(folder, bavail * bsize, files > 0 ? ffree : Number.POSITIVE_INFINITY)
  },
}

function judge(folder: string, free: number, freeFiles: number): Finding {
  const fix = `Free some space on the disk that holds ${tilde(folder)}: df -h ${tilde(folder)}`
  const seen = `${Math.floor(free / 1024 / 1024)} MB are free where ${tilde(folder)} lies`
  if (freeFiles < FEW_FILES) {
    const seen = `${counted(freeFiles, 'more file')} can be made where ${tilde(folder)} lies`
    return { state: freeFiles === 0 ? 'failed' : 'warning', seen, fix }
  }
  if (free < FULL) return { state: 'failed', seen, fix }
  return free < LOW ? { state: 'warning', seen, fix } : { state: 'ok', seen }
}

function nearest(folder: string): string {
  return existsSync(folder) ? folder : nearest(path.dirname(folder))
}

/** That the folder is closed to us is another check's. */
function readOnly(folder: string): boolean {
  try {
    accessSync(folder, constants.W_OK)
    return false
  } catch (error) {
    return codeOf(error) === 'EROFS'
  }
}
