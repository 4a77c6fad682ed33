import { closeSync, constants, fstatSync, openSync } from 'node:fs'
import { ConnectError } from '../errors.ts'
import { belongsToUs, checkWay } from './trust.ts'

/**
 * Opens a file that we write to: one of our own or root's, and through no link of anyone else's. In a
 * folder where others may write, as /tmp, they could lay out a link of that name, and have us write into a
 * file of ours.
 *
 * @param flags of open(2); O_NONBLOCK is added: a FIFO without a reader would be waited for, for ever
 * @param mode if it is made, default 0600
 * @throws ConnectError FILE_UNTRUSTED, or the system's error
 */
export function openOurs(file: string, flags: number, mode = 0o600): number {
  // The links that are well are followed already; one that came just now is not.
  const careful = (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0)
  const descriptor = openSync(checkWay(file), flags | careful, mode)
  if (process.platform === 'win32' || belongsToUs(fstatSync(descriptor))) return descriptor
  closeSync(descriptor)
  throw new ConnectError('FILE_UNTRUSTED', `${file} belongs to another user`)
}
