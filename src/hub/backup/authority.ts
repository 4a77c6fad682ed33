import { renameSync } from 'node:fs'
import path from 'node:path'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { syncFolder } from '../../files/durable/sync-folder.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readText } from '../../files/read-text.ts'
import { checkTrusted } from '../../files/trust.ts'
import { authorityKeyFile } from '../tls/authority.ts'

/**
 * The certificate and the key of the authority of the hub's own: all that machines trust hangs on it, and the
 * rest of `tls/` the hub makes again.
 *
 * @returns undefined if the hub has none
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED
 */
export function readAuthority(folder: string): string | undefined {
  const file = authorityKeyFile(tlsFolder(folder))
  return readText(file, (found) => checkTrusted(file, found))
}

/**
 * Puts an authority in place.
 *
 * @param aside where what is there is kept, if it is another one
 * @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED; the system's error
 */
export function placeAuthority(folder: string, authority: string, aside: string): void {
  const tls = tlsFolder(folder)
  const found = readAuthority(folder)
  if (found === authority) return
  if (found !== undefined) {
    renameSync(tls, aside)
    syncFolder(folder)
  }
  ensurePrivateFolder(tls)
  writeFileAtomic(authorityKeyFile(tlsFolder(folder)), authority)
}

function tlsFolder(folder: string): string {
  return path.join(folder, 'tls')
}
