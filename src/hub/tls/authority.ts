import { existsSync } from 'node:fs'
import path from 'node:path'
import { ConnectError, messageOf } from '../../errors.ts'
import { writeFileAtomic } from '../../files/durable/atomic-write.ts'
import { readText } from '../../files/read-text.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { issueAuthority, type Issued } from './issue.ts'
import { pemPair, readPemPair } from './pem-pair.ts'

/** What is the hub's own to speak TLS with, in its data folder. */
export function tlsFolder(dataFolder: string): string {
  return path.join(dataFolder, 'tls')
}

/** The authority's certificate, for machines to trust. */
export function authorityFile(folder: string): string {
  return path.join(folder, 'authority.pem')
}

/** The same with its key. */
export function authorityKeyFile(folder: string): string {
  return path.join(folder, 'authority.key')
}

/**
 * The authority that signs this hub’s certificates. Machines trust it for years, so it is made only where
 * there was none before.
 *
 * @param folder private
 * @param signed whether there is a certificate that it has signed
 * @param now in ms since 1970
 * @throws ConnectError HUB_TLS_DAMAGED, HUB_KEY_EXPOSED, FILE_UNTRUSTED, CONFIG_UNREADABLE, WRITE_FAILED
 */
export async function openAuthority(folder: string, signed: boolean, now: number): Promise<Issued> {
  const file = authorityKeyFile(folder)
  const found = readAuthority(file)
  if (!found && signed)
    throw damaged(folder, `The key of the hub’s own authority is gone: there is no ${file}`)
  const authority = found ?? (await issueAuthority(now))
  keepAuthority(folder, authority)
  return authority
}

/** Writes what is missing of it. @throws ConnectError WRITE_FAILED, FILE_UNTRUSTED, CONFIG_UNREADABLE */
export function keepAuthority(folder: string, authority: Issued): void {
  const [file, publicFile] = [authorityKeyFile(folder), authorityFile(folder)]
  if (!existsSync(file)) writeFileAtomic(file, pemPair(authority))
  const pem = authority.certificate.toString()
  if (readText(publicFile) !== pem) writeFileAtomic(publicFile, pem)
}

function readAuthority(file: string): Issued | undefined {
  try {
    const found = readPemPair(file)
    if (found && !found.certificate.ca) throw new Error('it is no authority’s')
    return found
  } catch (error) {
    if (error instanceof ConnectError) throw error
    throw damaged(
      path.dirname(file),
      `The hub’s own authority ${file} is damaged: ${messageOf(error)}`,
      error,
    )
  }
}

function damaged(folder: string, message: string, cause?: unknown): ConnectError {
  return new ConnectError('HUB_TLS_DAMAGED', message, {
    cause,
    hints: [
      'Bring it back from a backup: the machines trust this authority, and no other.',
      `Without a backup begin anew, and give each machine the new authority: rm -r ${shellQuote(folder)}`,
    ],
  })
}
