import { readFileSync } from 'node:fs'
import path from 'node:path'
import * as v from 'valibot'
import { expect, test } from 'vitest'
import { MAX_SERVICES } from '../../../src/config/services.ts'
import {
  BASE_MS,
  CAP_MS,
  FIRST_MS,
  HEALTHY_AFTER_MS,
  URGENT_CAP_MS,
} from '../../../src/hub-client/link/reconnect-backoff.ts'
import { GOAWAY_CODES, STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { TYPE } from '../../../src/tunnel/protocol/frames.ts'
import {
  HUB_HEADER,
  HubMessage,
  PORTLESS,
  PROTOCOL_VERSION,
  Refusal,
} from '../../../src/tunnel/protocol/handshake.ts'
import * as otherLimits from '../../../src/tunnel/protocol/limits.ts'
import * as windowSizes from '../../../src/tunnel/protocol/window-size.ts'
import { root } from '../../helpers/cli.ts'

const limits = { ...otherLimits, ...windowSizes }

const text = readFileSync(path.join(root, 'docs', 'protocol.md'), 'utf8')
/** One line, since sentences are wrapped. */
const prose = text.replaceAll(/\s+/g, ' ')

/** The cells of the table that has this head. */
function table(head: string): string[][] {
  const [, after] = text.split(`\n${head}\n`)
  if (after === undefined) throw new Error(`there is no table ${head}`)
  const [rows = ''] = after.split('\n\n')
  return rows
    .split('\n')
    .slice(1)
    .map((row) => row.split('|').map((cell) => cell.trim()))
    .map(([, ...cells]) => cells)
}

function numbers(codes: Record<string, number>): [number, string][] {
  return Object.entries(codes).map(([name, code]) => [code, name])
}

test('the limits in the document are the program’s', () => {
  const documented = table('| Name | Value | Meaning |').map(([name, value]) => [
    name,
    Number(value?.replaceAll(',', '')),
  ])
  const own = Object.entries({ ...limits, MAX_SERVICES }).filter(([, value]) => typeof value === 'number')
  expect(Object.fromEntries(documented)).toEqual(Object.fromEntries(own))
  expect(documented).toHaveLength(own.length)
})

test('the frame types in the document are the program’s', () => {
  const documented = table('| Type | Name | Of | Goes as | Meaning |').map(([type, name]) => [
    Number(type),
    name,
  ])
  expect(documented).toEqual(numbers(TYPE))
})

test('the codes of OPEN_ERR and RST in the document are the program’s', () => {
  const documented = table('| Code | Name | Meaning |').map(([code, name]) => [Number(code), name])
  expect(documented).toEqual(numbers(STREAM_CODES))
})

test('the codes of GOAWAY in the document are the program’s', () => {
  const documented = table('| Code | Name | Meaning | What the peer does |').map(([code, name]) => [
    Number(code),
    name,
  ])
  expect(documented).toEqual(numbers(GOAWAY_CODES))
})

test('the words of refusals in the document are the program’s', () => {
  const documented = table('| Word | Status | Meaning | What a client does |').map(([word]) =>
    word?.replaceAll('`', ''),
  )
  expect(new Set(documented)).toEqual(new Set(Refusal.entries.error.options))
})

test('the words by which a hub says what it takes, and is asked for services without a port, are the program’s', () => {
  const [, welcome = ''] = /^\| `(\{"type": "welcome".*?\})` \| hub \|/m.exec(text) ?? []
  const message = v.parse(HubMessage, JSON.parse(welcome.replace('hub_…', 'hub_0123456789abcdef')))
  expect(message).toMatchObject({ type: 'welcome', portless: true, named: true })
  expect(prose).toContain(`left out unless \`${PORTLESS}=true\` is in the query`)
})

test('the numbers in the text are the program’s', () => {
  const inWords: [string, number][] = [
    ['One binary message is one frame, of at most N bytes', limits.MAX_FRAME_BYTES],
    ['MUST NOT be more than N bytes', limits.MAX_WINDOW],
    ['The opener may send N bytes before', limits.INITIAL_WINDOW],
    ['1 to N | the bytes', limits.MAX_DATA_BYTES],
    ['up to N | JSON', limits.MAX_CTRL_BYTES],
    ['up to N | text', limits.MAX_TEXT_BYTES],
    ['refuses an OPEN of more than N hops', limits.MAX_HOPS],
    ['no answer within N s', limits.OPEN_TIMEOUT_MS / 1000],
    ['After N s without a single byte', limits.PING_AFTER_MS / 1000],
    ['after N s more without one, the link is lost', limits.DEAD_AFTER_PING_MS / 1000],
    ['good for N seconds', limits.NONCE_SECONDS],
    ['may use N nonces', limits.MAX_NONCES],
    ['up to N ms for the first', FIRST_MS],
    ['min(30 s, N ms · 2^n)', BASE_MS],
    ['min(N s, 500 ms · 2^n)', CAP_MS / 1000],
    ['only after a link has held for N s', HEALTHY_AFTER_MS / 1000],
    ['more than N MiB wait for it, the hub keeps back', limits.LINK_BACKLOG_HIGH_BYTES / 2 ** 20],
    ['until less than N MiB waits', limits.LINK_BACKLOG_LOW_BYTES / 2 ** 20],
    ['more than N MiB wait for the links of one agent', limits.AGENT_BACKLOG_MAX_BYTES / 2 ** 20],
    ['resets more than N streams in a second', limits.MAX_GIVEN_UP],
    ['has N times as many streams open there', limits.SHARE_OF_FREE],
    ['one alone gets N of them', (limits.MAX_STREAMS * limits.SHARE_OF_FREE) / (limits.SHARE_OF_FREE + 1)],
    ['Frames cause work: N bytes', limits.FRAME_WORK_BYTES],
    ['have caused N MiB of it in a turn', limits.TURN_WORK_BYTES / 2 ** 20],
    ['their own bytes, N for OPEN', limits.HEAVY_WORK_BYTES],
    ['sends PING at least every N s', limits.TELL_AFTER_MS / 1000 + 1],
    ['more than N MiB wait for all links together', limits.HUB_BACKLOG_MAX_BYTES / 2 ** 20],
    ['waits N s for another link', limits.RESUME_MS / 1000],
    ['doubles the window, up to N MiB', limits.GROWN_WINDOW / 2 ** 20],
    ['grow by no more than N MiB', limits.GROWTH_BUDGET_BYTES / 2 ** 20],
    ['allow up to N MiB for all streams', limits.UNACKED_BUDGET_BYTES / 2 ** 20],
    ['no more than N s while streams wait', URGENT_CAP_MS / 1000],
    ['the last N keys', limits.MAX_LOST_STREAMS],
    ['waited more than N ms', limits.GROW_AFTER_MS],
    ['more than N KiB of control to read', limits.CONTROL_BACKLOG_HIGH_BYTES / 2 ** 10],
    ['A link with more than N MiB of it is lost', limits.MAX_CONTROL_BACKLOG_BYTES / 2 ** 20],
    ['count as their bytes and N more', limits.FRAME_OVERHEAD_BYTES],
    ['at most N KiB of data into its socket', limits.SOCKET_BACKLOG_BYTES / 2 ** 10],
  ]
  const missing = inWords
    .map(([sentence, value]) => sentence.replace(/\bN\b/, value.toLocaleString('en-US')))
    .filter((sentence) => !prose.includes(sentence))
  expect(missing).toEqual([])
  expect(prose).toContain(`\`${limits.SUBPROTOCOL}\``)
  expect(prose).toContain(`"protocol": ${PROTOCOL_VERSION}`)
  expect(prose.toLowerCase()).toContain(`\`${HUB_HEADER}\``)
})

test('every test vector is shown', () => {
  const vectors = JSON.parse(
    readFileSync(path.join(root, 'test', 'fixtures', 'protocol-vectors.json'), 'utf8'),
  ) as Record<'frames' | 'variants' | 'refused', { name: string; hex: string }[]> & {
    agents: { key: { x: string }; agent: string }[]
  }
  for (const { name, hex } of [...vectors.frames, ...vectors.variants, ...vectors.refused]) {
    expect(text).toContain(`# ${name}\n${hex || '(no bytes)'}\n`)
  }
  for (const { key, agent } of vectors.agents) for (const part of [key.x, agent]) expect(text).toContain(part)
})
