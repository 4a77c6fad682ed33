import { appendFileSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import * as fc from 'fast-check'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { printable, printableJson } from '../../src/text/printable.ts'
import { HUB_ID, startHostileHub } from '../fixtures/hub/hostile-hub.ts'
import { emptyHome, joined } from '../fixtures/joined.ts'
import { runFixture } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

/** C0 but for the line's end, DEL, C1, and what reorders, hides or breaks a line. */
const UNSAFE = /[^\P{Cc}\n]|[\p{Cf}\p{Zl}\p{Zp}\p{Cs}]/u

const EVIL =
  '\u001b[2J\u009b31m\u0090x\u009c\u202egnp.exe\u2066\u200f\u061c\u2028\u2029\u200b\ufeff\u{e0041}\u007f'

const unsafe = fc.constantFrom(
  ...'\0\u0007\b\r\n\u001b\u007f\u0080\u0090\u009b\u009c\u009f\u00ad\u061c\u200b\u200e\u202a\u202e\u2028\u2029\u2066\u2069\ufeff\ud800\udfff'.split(
    '',
  ),
)
const texts = fc
  .array(fc.oneof(unsafe, fc.string({ unit: 'binary', maxLength: 8 })))
  .map((parts) => parts.join(''))

test('what is printed holds nothing unsafe, and JSON gives back the very text', () => {
  fc.assert(
    fc.property(texts, (text) => {
      expect(printable(text)).not.toMatch(UNSAFE)
      expect(printable(text)).not.toContain('\n')
      expect(printable(printable(text))).toBe(printable(text))
      const json = printableJson({ [text]: [text] }, 2)
      expect(json).not.toMatch(UNSAFE)
      expect(JSON.parse(json)).toEqual({ [text]: [text] })
    }),
  )
})

test('no command says, tells, returns or fails with anything unsafe, whatever it is given', async () => {
  const words = [...fc.sample(texts, 60), EVIL, 'a\n[ok] forged']
  const file = path.join(scratchFolder(), 'words.json')
  writeFileSync(file, JSON.stringify(words))
  const speaking = runFixture('speak.ts', [file])
  await speaking.exited
  expect(speaking.stdout.length).toBeGreaterThan(1000)
  expect(speaking.output.match(UNSAFE)).toBeNull()
  expect(speaking.output).not.toMatch(/^\[ok\] forged/m)
  // Our own signs are as they were.
  expect(speaking.stdout).toContain('[ok] 📊 ')
})

test('an answer that is no hub’s reaches no terminal as it came', async () => {
  const hub = await startHostileHub({
    answer(_request, response) {
      response.setHeader('content-type', 'text/\u009b2J\u0090html')
      response.end(EVIL)
    },
  })
  const home = emptyHome()
  for (const args of [[], ['--json']]) {
    const { code, stdout, stderr } = await connect(home, ['login', '--hub', hub.url, ...args], {
      env: { PRIVATECONNECT_TOKEN: `tok_${'0'.repeat(40)}` },
    })
    expect(code).toBe(1)
    expect((stdout + stderr).match(UNSAFE)).toBeNull()
  }
  await hub.close()
})

test('a hub’s refusal neither', async () => {
  const hub = await startHostileHub({
    answer(_request, response) {
      response.statusCode = 400
      response.setHeader('x-private-connect-hub', HUB_ID)
      response.end(JSON.stringify({ error: 'bad_request', message: `${EVIL}\n[ok] Logged in`, time: 0 }))
    },
  })
  const { code, stderr } = await connect(emptyHome(), ['login', '--hub', hub.url], {
    env: { PRIVATECONNECT_TOKEN: `tok_${'0'.repeat(40)}` },
  })
  expect(code).toBe(1)
  expect(stderr.match(UNSAFE)).toBeNull()
  expect(stderr).toMatch(/^\[x\] The hub refused: /)
  expect(stderr).not.toMatch(/^\[ok\]/m)
  await hub.close()
})

test('a label in a config, and lines in a log, are shown escaped, and by --json come back unchanged', async () => {
  const home = await joined(world)
  const config = JSON.parse(readFileSync(home.file('config.json'), 'utf8')) as { label: string }
  writeFileSync(home.file('config.json'), JSON.stringify({ ...config, label: EVIL }))
  appendFileSync(home.file('daemon.log'), `${EVIL.replaceAll('\n', '')}\n`, { mode: 0o600 })
  for (const line of [
    'whoami',
    'daemon status',
    'daemon logs',
    'login',
    'services',
    'daemon start',
    'daemon stop',
  ]) {
    const [plain, json] = [
      await connect(home, line.split(' ')),
      await connect(home, [...line.split(' '), '--json']),
    ]
    expect([line, (plain.stdout + plain.stderr + json.stdout + json.stderr).match(UNSAFE)]).toEqual([
      line,
      null,
    ])
    const { label = EVIL } = JSON.parse(json.stdout) as { label?: string }
    expect(label).toBe(EVIL)
  }
})
