import { createHash } from 'node:crypto'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import {
  fingerprintFrom,
  fingerprintOf,
  formatInvite,
  looksLikeInvite,
  parseInvite,
  type Invite,
} from '../../../src/tunnel/protocol/invite.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const token = `tok_${'0123456789'.repeat(4)}`
const fingerprint = fingerprintOf(Buffer.from('a certificate'))
const invite: Invite = { address: 'https://hub.example.com:7700/path', token, fingerprint }

const anyHost = fc.oneof(
  fc.domain().map((name) => name.toLowerCase()),
  fc.ipV4().map((address) => new URL(`https://${address}`).hostname),
  fc.ipV6().map((address) => new URL(`https://[${address}]`).hostname),
)
const anyInvite: fc.Arbitrary<Invite> = fc.record(
  {
    address: fc
      .tuple(anyHost, fc.integer({ min: 1024, max: 65_535 }))
      .map(([host, port]) => `https://${host}:${port}`),
    token: fc.stringMatching(/^tok_[0-9a-f]{40}$/),
    fingerprint: fc.uint8Array({ minLength: 1, maxLength: 64 }).map(fingerprintOf),
  },
  { requiredKeys: ['address', 'token'] },
)

/** An invite of whatever content, with a check that is right. */
function invited(content: unknown): string {
  const body = Buffer.from(JSON.stringify(content)).toString('base64url')
  return `inv_${body}${fingerprintOf(Buffer.from(body)).slice(0, 4)}`
}

test('a fingerprint as openssl prints it is the same one', () => {
  const printed = createHash('sha256').update('a certificate').digest('hex').toUpperCase()
  expect(fingerprintFrom(printed.match(/../g)!.join(':'))).toBe(fingerprint)
})

test('what is put into an invite is what comes out of it', () => {
  fc.assert(
    fc.property(anyInvite, (invite) => {
      const text = formatInvite(invite)
      expect(text).toMatch(/^inv_[\w-]{1,2044}$/)
      expect(parseInvite(text)).toEqual(invite)
    }),
  )
})

test('it is taken with the line breaks and spaces of a chat', () => {
  const space = fc.constantFrom(' ', '\n', '\r\n', '\t', '\u00a0', '\u2028')
  fc.assert(
    fc.property(anyInvite, fc.array(fc.tuple(fc.nat(400), space), { maxLength: 9 }), (invite, breaks) => {
      const text = breaks.reduce(
        (text, [at, gap]) => text.slice(0, at) + gap + text.slice(at),
        formatInvite(invite),
      )
      expect(looksLikeInvite(text)).toBe(true)
      expect(parseInvite(text)).toEqual(invite)
    }),
  )
})

test('one wrong, missing or doubled character is told as what it is', () => {
  const text = formatInvite(invite)
  const change = fc.constantFrom('wrong', 'missing', 'doubled')
  fc.assert(
    fc.property(fc.integer({ min: 4, max: text.length - 1 }), change, fc.nat(25), (at, change, letter) => {
      const wrong = String.fromCodePoint(97 + letter)
      fc.pre(change !== 'wrong' || text[at] !== wrong)
      const put = { wrong, missing: '', doubled: text[at]! + text[at]! }[change]
      const error = thrownBy(() => parseInvite(text.slice(0, at) + put + text.slice(at + 1)))
      expect(error).toMatchObject({
        code: 'BAD_INVITE',
        message: 'The invite is incomplete, or a character of it is wrong',
      })
    }),
  )
})

test('an invite that was cut off anywhere is told so', () => {
  const text = formatInvite(invite)
  for (let length = 4; length < text.length; length++)
    expect(thrownBy(() => parseInvite(text.slice(0, length))).code, String(length)).toBe('BAD_INVITE')
})

test.for(['\u200b', '\u200d', '\u2060', '\u00ad', 'é', '\u0000', '“'])(
  'a character that a chat has put in, %j, is told as one',
  (character) => {
    const text = formatInvite(invite)
    for (const at of [0, 10, text.length]) {
      const pasted = text.slice(0, at) + character + text.slice(at)
      if (character !== '“') expect(looksLikeInvite(pasted)).toBe(true)
      expect(thrownBy(() => parseInvite(pasted)).message).toContain('invisible ones of a chat program')
    }
  },
)

const content = { v: 1, u: 'https://hub.example.com', t: token, f: fingerprint }

test('what a later version adds is left out', () => {
  expect(parseInvite(invited({ ...content, more: [1] }))).toEqual({
    address: content.u,
    token,
    fingerprint,
  })
})

describe('an invite whose content is not to be believed is refused, and nothing of it repeated:', () => {
  test.for([
    ['nothing', null],
    ['a number', 7],
    ['a list', [1]],
    ['no version', { ...content, v: undefined }],
    ['version 0', { ...content, v: 0 }],
    ['no address', { ...content, u: undefined }],
    ['no token', { ...content, t: undefined }],
    ['another token', { ...content, t: 'ghp_secret' }],
    ['a token that smuggles', { ...content, t: `${token}\r\nHost: evil` }],
    ['a fingerprint that is too short', { ...content, f: fingerprint.slice(1) }],
    ['an empty fingerprint', { ...content, f: '' }],
    ['no fingerprint where one is named', { ...content, f: null }],
    ['a fingerprint for plain http', { ...content, u: 'http://127.0.0.1:7700' }],
    ['a password in the address', { ...content, u: 'https://ada:secret@hub.example.com' }],
    ['an address with a query', { ...content, u: 'https://hub.example.com/?secret' }],
    ['an address of another kind', { ...content, u: 'file:///etc/passwd' }],
    ['an address that breaks lines', { ...content, u: 'https://hub.example.com/\r\nsecret' }],
    ['an address in another form than ours', { ...content, u: 'wss://HUB.example.com/' }],
    ['an address that is too long', { ...content, u: `https://hub.example.com/${'a'.repeat(1024)}` }],
  ])('%s', ([, content]) => {
    const error = thrownBy(() => parseInvite(invited(content)))
    expect(error).toMatchObject({ code: 'BAD_INVITE', message: 'The invite is damaged' })
  })

  test('of a newer version, which says so', () => {
    const error = thrownBy(() => parseInvite(invited({ v: 2, secret: token })))
    expect(error.code).toBe('BAD_INVITE')
    expect(error.message).toContain('newer version')
    expect(error.message).not.toContain('tok_')
  })

  test('megabytes, at once', () => {
    expect(thrownBy(() => parseInvite(`inv_${'a'.repeat(50_000_000)}`)).message).toBe(
      'This is longer than any invite',
    )
  })

  test('random texts, each with one sentence', () => {
    fc.assert(
      fc.property(fc.string(), fc.uint8Array(), (text, bytes) => {
        for (const tail of [text, Buffer.from(bytes).toString('base64url')])
          expect(thrownBy(() => parseInvite(`inv_${tail}`)).code).toBe('BAD_INVITE')
      }),
    )
  })
})
