import { generateKeyPairSync, type KeyObject, type X509Certificate } from 'node:crypto'
import { encodeCertificate, keyIdOf } from './encode-certificate.ts'

/** A certificate with its key. */
export interface Issued {
  readonly certificate: X509Certificate
  readonly key: KeyObject
}

const DAY_MS = 86_400_000

/** No hub made certificates before. A clock that says so is wrong, as without a battery. */
export const EARLIEST = Date.UTC(2026, 0, 1)

const AUTHORITY_YEARS = 10
/** Where others set a limit it is 398 days, or 825. */
const SERVER_DAYS = 90
/** For machines whose clock is behind, or takes the local time for UTC. */
const SLACK_DAYS = 1

/**
 * Makes an authority of the hub's own: it may sign certificates of servers, and no further authority.
 *
 * @param now in ms since 1970
 */
export async function issueAuthority(now: number): Promise<Issued> {
  const { publicKey, privateKey: key } = newKeys()
  const contents = {
    // With a part of the key's id: a list of trusted authorities may hold those of several hubs.
    commonName: `Private Connect hub ${keyIdOf(publicKey).toString('hex').slice(0, 8)}`,
    publicKey,
    validFrom: new Date(EARLIEST),
    validTo: new Date(plausible(now) + AUTHORITY_YEARS * 365 * DAY_MS),
  }
  return { certificate: await encodeCertificate(contents, { key }), key }
}

/**
 * Makes a certificate for a hub, with a new key.
 *
 * @param names host names and addresses by which it is reached
 * @param now in ms since 1970
 */
export async function issueServer(names: readonly string[], authority: Issued, now: number): Promise<Issued> {
  const { publicKey, privateKey: key } = newKeys()
  const contents = {
    commonName: 'Private Connect hub',
    publicKey,
    validFrom: new Date(plausible(now) - SLACK_DAYS * DAY_MS),
    validTo: new Date(plausible(now) + SERVER_DAYS * DAY_MS),
    names,
  }
  return { certificate: await encodeCertificate(contents, authority), key }
}

function plausible(now: number): number {
  return Math.max(now, EARLIEST)
}

function newKeys(): { publicKey: KeyObject; privateKey: KeyObject } {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
}
