import { randomBytes } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { PIECE, programWords } from '../../../src/doctor/bundle/program-words.ts'
import { Redactor } from '../../../src/doctor/bundle/redactor.ts'
import { root } from '../../helpers/cli.ts'

const words = programWords(root)

function redactor(secrets: readonly string[] = []) {
  return new Redactor({ words, home: '/home/jeanne', secrets })
}

test('the words of the program are those of its messages, as built and as written', () => {
  for (const word of ['Reconnecting', 'ECONNREFUSED', 'hub', '.privateconnect', 'ExecStart'])
    expect(words.has(word), word).toBe(true)
})

describe('what this program writes itself stays, and what it was told goes:', () => {
  test.for([
    [
      'Could not reach the hub at https://hub.corp.example:8443: connection refused. Reconnecting in 3 s',
      'Could not reach the hub at https://*1:8443: connection refused. Reconnecting in 3 s',
    ],
    ['agent_0123456789abcdef (jeanne-laptop) connected', '*1 (*2) connected'],
    ['[ok] Connected to 10.20.30.40:5432', '[ok] Connected to *1:5432'],
    ['Dialing 2001:db8::7 and fe80::1%eth0', 'Dialing *1 and *2%*3'],
    ['127.0.0.1, ::1 and localhost are everybody’s', '127.0.0.1, ::1 and localhost are *1’s'],
    ['/home/jeanne/.nvm/versions/node/v24.1.0/bin/node', '~/*1/versions/node/v24.1.0/bin/node'],
    ['unix:/home/marie/app.sock', 'unix:/home/*1/*2'],
    ['10:30:00 on 2026-11-27, version 0.1.0', '10:30:00 on 2026-11-27, version 0.1.0'],
    ['a\u009b31mred', String.raw`a\u{*1}*2`],
  ] as const)('%s', ([text, redacted]) => {
    expect(redactor().text(text)).toBe(redacted)
  })
})

test('numbers, versions and times stay', () => {
  const figures = ['7', '1234567', '1.25', '0.1.0', 'v24.21.0', '2026-11-27', '10:30:00', '...', '::', '::1']
  const times = ['2026-11-27T10:30:00.123Z', '2026-11-27T10:30:00.123+01:00', '2026-11-27T10:30:00.123-01:00']
  for (const text of [...figures, ...times]) expect(redactor().text(text)).toBe(text)
})

test.for([
  ['12345678', '*1'],
  ['10.20.30.40', '*1'],
  ['v1.2.3-secret', '*1'],
  ['x1.2.3', '*1'],
  ['1.2345', '*1'],
  ['2026-11-27x', '*1'],
  ['26-11-27', '*1'],
  ['00.1234Z', '*1'],
  ['000.123Z', '*1'],
  ['00.123+1x', '*1'],
  ['from 2001:db8::7: refused', 'from *1: refused'],
  ['at 2001:db8::7.', 'at *1.'],
  ['::1234:1', '*1'],
  ['1::1', '*1'],
] as const)('what only looks like one goes: %s', ([text, redacted]) => {
  expect(redactor().text(text)).toBe(redacted)
})

test('who has no home folder keeps his paths', () => {
  expect(new Redactor({ words, home: '/', secrets: [] }).text('/usr/bin/node')).toBe('/usr/bin/node')
})

test('the same is replaced by the same, in all texts of a bundle', () => {
  const one = redactor()
  expect(one.text('jeanne-laptop and jeanne-phone')).toBe('*1 and *2')
  expect(one.text('jeanne-phone')).toBe('*2')
})

test('a known secret goes also where it is made of words that may stay', () => {
  expect(redactor(['connection refused', 'hub']).text('the connection refused by the hub')).toBe(
    'the *1 by the *2',
  )
})

test.for([
  ['Environment=HTTPS_PROXY=http://hub:1234567@proxy:3128/', 'Environment=HTTPS_PROXY=http://*1@proxy:3128/'],
  ['https://connect@hub and https://refused:secret@hub', 'https://*1@hub and https://*2@hub'],
  ['https://hub:se@cret@hub/agent', 'https://*1@hub/agent'],
  ['ada@hub', '*1@hub'],
] as const)('what lets one in goes, of whatever words it is made: %s', ([text, redacted]) => {
  const one = redactor()
  expect(one.text(text)).toBe(redacted)
  expect(one.text(redacted)).toBe(redacted)
})

test('whatever is put in, nothing comes out but words of the program, figures and marks', () => {
  const known = [...words].filter((_, at) => at % 500 === 0)
  for (let round = 0; round < 300; round++) {
    const noise = randomBytes(24)
    const inputs = [
      noise.toString('base64'),
      noise.toString('base64url'),
      noise.toString('hex'),
      noise.toString('latin1'),
    ]
    const text = inputs
      .map((one, at) => `${known[(round + at) % known.length]} ${one}`)
      .join(round % 2 ? ' ' : '/')
    const one = redactor()
    const redacted = one.text(text)
    // Nothing that is left would be taken out by a second look.
    expect(one.text(redacted)).toBe(redacted)
    for (const input of inputs) expect(redacted).not.toContain(input)
    const longest = (redacted.match(PIECE) ?? []).filter((piece) => !words.has(piece.replace(/\.+$/, '')))
    expect(
      longest.every((piece) => /^[\d.:TZ+-]*$|^v\d/.test(piece)),
      redacted,
    ).toBe(true)
  }
})

test('of what is cut no word stays that has lost its end: half of a secret may look like a number', () => {
  const secret = '99887766554433'
  const text = `${'0 '.repeat(45)}with ${secret} in it`
  for (const secrets of [[], [secret]])
    for (let length = 90; length < 103; length++) {
      const cut = redactor(secrets).text(text, length)
      expect(cut).toMatch(/…$/)
      expect(cut).not.toMatch(/9|\d\d/)
    }
  expect(redactor().text('hub', 3)).toBe('hub')
})
