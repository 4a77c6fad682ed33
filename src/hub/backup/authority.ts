import { renameSync } from 'node:fs'
import { ConnectError } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { syncFolder } from '../../files/durable/sync-folder.ts'
import { ensurePrivateFolder } from '../../files/private-folder.ts'
import { readText } from '../../files/read-text.ts'
import { checkTrusted } from '../../files/trust.ts'
import { authorityKeyFile, tlsFolder } from '../tls/authority.ts'
import { parsePemPair } from '../tls/pem-pair.ts'

/**
 * The certificate and the key of the authority of the hub's own: all that machines trust hangs on it, and the
 * rest of `tls/` the hub makes again.
 *
 * @returns undefined if the hub has none
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED, HUB_TLS_DAMAGED
 */
export function authorityToKeep(folder: string): string | undefined {
  const found = readAuthority(folder)
  if (found === undefined || isAuthority(found)) return found
  const file = authorityKeyFile(tlsFolder(folder))
  throw new ConnectError(
    'HUB_TLS_DAMAGED',
    `The hub’s own authority ${file} is damaged, and so would a backup be`,
  )
}

function readAuthority(folder: string): string | undefined {
  const file = authorityKeyFile(tlsFolder(folder))
  return readText(file, (found) => checkTrusted(file, found))
}

/** The same, if a hub can go on with it. @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED */
export function readSoundAuthority(folder: string): string | undefined {
  const found = readAuthority(folder)
  return found !== undefined && isAuthority(found) ? found : undefined
}

/** Whether a hub can go on with it. */
export function isAuthority(text: string): boolean {
  try {
    return parsePemPair(text).certificate.ca
  } catch {
    return false
  }
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
  writeFileAtomic(authorityKeyFile(tls), authority)
}
