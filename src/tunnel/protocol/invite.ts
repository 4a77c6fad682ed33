import { createHash } from 'node:crypto'
import * as v from 'valibot'
import { parseHubUrl } from '../../config/hub-url.ts'
import { LOCAL_PACKAGE } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import { JOIN_TOKEN } from './join-token.ts'

/** All that a machine needs to join a hub that it has never heard of. Holds a secret, as its token is one. */
export interface Invite {
  /** As parseHubUrl gives it. */
  readonly address: string
  readonly token: string
  /** Of the certificate that the hub’s must lead to, see fingerprintOf; without it a known authority does. */
  readonly fingerprint?: string
}

const PREFIX = 'inv_'
const VERSION = 1

/** More than any invite has: an address may be 1024 characters long. */
const MAX_CHARACTERS = 2048
const MAX_ADDRESS = 1024

/** In characters of base64url: 24 bits, so that one of 16 million mistakes goes unnoticed. */
const CHECK_CHARACTERS = 4

const Content = v.object({
  v: v.literal(VERSION),
  u: v.pipe(v.string(), v.maxLength(MAX_ADDRESS), v.check(isHubUrl)),
  t: v.pipe(v.string(), v.regex(JOIN_TOKEN)),
  // 32 bytes, in the one way of writing them (RFC 4648 §3.5).
  f: v.exactOptional(v.pipe(v.string(), v.regex(/^[\w-]{42}[AEIMQUYcgkosw048]$/))),
})

/** @param certificate in DER @returns SHA-256, in base64url without padding */
export function fingerprintOf(certificate: Uint8Array): string {
  return createHash('sha256').update(certificate).digest('base64url')
}

/** @param printed as openssl prints it: hexadecimal digits, with colons @returns as fingerprintOf */
export function fingerprintFrom(printed: string): string {
  return Buffer.from(printed.replaceAll(':', ''), 'hex').toString('base64url')
}

/** @returns one word, of letters, digits, `_` and `-` */
export function formatInvite({ address, token, fingerprint }: Invite): string {
  const content = { v: VERSION, u: address, t: token, ...(fingerprint !== undefined && { f: fingerprint }) }
  const body = Buffer.from(JSON.stringify(content)).toString('base64url')
  return PREFIX + body + checkOf(body)
}

/** Whether a text is meant to be an invite, whatever a chat has done to it. */
export function looksLikeInvite(text: string): boolean {
  return /^[^\x21-\x7e]*i\s*n\s*v\s*_/.test(text)
}

/**
 * Reads an invite that has come by chat or mail: it may be wrapped, and have spaces around it.
 *
 * @throws ConnectError BAD_INVITE, without anything of the invite in it
 */
export function parseInvite(text: string): Invite {
  const word = text.replaceAll(/\s/g, '')
  if (word.length > MAX_CHARACTERS) throw bad('This is longer than any invite')
  if (!/^[\w-]*$/.test(word))
    throw bad('The invite has characters in it that no invite has, such as invisible ones of a chat program')
  const body = word.slice(PREFIX.length, -CHECK_CHARACTERS)
  if (!word.startsWith(PREFIX) || word.slice(-CHECK_CHARACTERS) !== checkOf(body))
    throw bad('The invite is incomplete, or a character of it is wrong')
  return inviteOf(contentOf(body))
}

function inviteOf(content: unknown): Invite {
  const parsed = v.safeParse(Content, content)
  if (!parsed.success)
    throw v.is(v.object({ v: v.pipe(v.number(), v.gtValue(VERSION)) }), content) ? newer() : damaged()
  const { u: address, t: token, f: fingerprint } = parsed.output
  if (fingerprint === undefined) return { address, token }
  // There is no certificate in plain http.
  if (address.startsWith('http:')) throw damaged()
  return { address, token, fingerprint }
}

function contentOf(body: string): unknown {
  try {
    return JSON.parse(Buffer.from(body, 'base64url').toString())
  } catch {
    return undefined
  }
}

/** Plain http is for whoever uses the invite to accept. */
function isHubUrl(text: string): boolean {
  try {
    return parseHubUrl(text, { insecure: true }) === text
  } catch {
    return false
  }
}

/** Tells a typing error as one; against forgery it is no help, nor is anything in an invite. */
function checkOf(body: string): string {
  return createHash('sha256').update(body).digest('base64url').slice(0, CHECK_CHARACTERS)
}

function bad(message: string, hints?: readonly string[]): ConnectError {
  return new ConnectError('BAD_INVITE', message, hints && { hints })
}

function damaged(): ConnectError {
  return bad('The invite is damaged')
}

function newer(): ConnectError {
  return bad('The invite is of a newer version of Private Connect, which this one cannot read', [
    `Upgrade it by a newer version’s tarball: ${LOCAL_PACKAGE}`,
  ])
}
