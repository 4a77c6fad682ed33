import { once } from 'node:events'
import { createServer, type IncomingMessage } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import type { Duplex } from 'node:stream'
import { expect, onTestFinished, test } from 'vitest'
import type { Authenticator } from '../../../src/hub/auth/authenticator.ts'
import { RefusedError } from '../../../src/hub/auth/refused-error.ts'
import { isForLink, LinkUpgrade } from '../../../src/hub/http/upgrade.ts'
import type { LinkTable } from '../../../src/hub/links/link-table.ts'
import type { Registry } from '../../../src/hub/registry/registry.ts'
import type { Agent } from '../../../src/hub/store/store.ts'
import type { Link, LinkFrame } from '../../../src/tunnel/link/link.ts'
import { encodeCtrl } from '../../../src/tunnel/protocol/encode.ts'
import { HUB_HEADER, LinkClaims } from '../../../src/tunnel/protocol/handshake.ts'
import { MAX_FRAME_BYTES, SUBPROTOCOL } from '../../../src/tunnel/protocol/limits.ts'
import { ServerHandshake } from '../../../src/websocket/server-handshake.ts'
import { hubInProcess } from '../../fixtures/hub/hub-in-process.ts'
import { batch } from '../../tunnel/helpers/raw-peer.ts'

const HUB_ID = 'hub_0123456789abcdef'
const agent = { id: 'agent_0123456789abcdef' } as Agent
const claims = { purpose: 'link', link: 'a'.repeat(32), epoch: 1, role: 'agent' } as const

interface Gate {
  /** What it takes to be let in, default nothing. */
  readonly authenticate?: Authenticator['authenticate']
  readonly checkEpoch?: LinkTable['checkEpoch']
}

/** Where links come in, with nothing behind it. */
async function gate({ authenticate, checkEpoch = () => {} }: Gate = {}) {
  const asked: unknown[][] = []
  const links: Link[] = []
  const authenticator: Pick<Authenticator, 'authenticate'> = {
    authenticate: (...args) => {
      asked.push(args)
      return authenticate ? authenticate(...args) : Promise.resolve({ agent, claims: claims as never })
    },
  }
  const table: Pick<LinkTable, 'checkEpoch' | 'add'> = {
    checkEpoch,
    add: (...args) => {
      expect(args.slice(0, 2)).toEqual([agent, claims])
      links.push(args[2])
    },
  }
  const upgrade = new LinkUpgrade(
    { hubId: HUB_ID } as Registry,
    table as LinkTable,
    authenticator as Authenticator,
    await ServerHandshake.load(SUBPROTOCOL, MAX_FRAME_BYTES, `${HUB_HEADER}: ${HUB_ID}`),
  )
  const server = createServer()
  const answers: { socket: Duplex; answered: Promise<boolean> }[] = []
  server.on('upgrade', (request, socket, head) => {
    answers.push({ socket, answered: upgrade.answer(request, socket, head) })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  onTestFinished(() => void server.close())
  return { port: (server.address() as AddressInfo).port, asked, links, answers }
}

const OPENING = [
  'Connection: Upgrade',
  'Upgrade: websocket',
  'Sec-WebSocket-Version: 13',
  'Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==',
  'Sec-WebSocket-Protocol: private-connect.v1',
]

/** A client that asks for a link and says something at once; gone after the test. */
function client(port: number, first: Buffer = Buffer.alloc(0)) {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const head = ['GET /v1/link?x=1 HTTP/1.1', 'Host: hub.test', 'Authorization: Bearer x', ...OPENING, '', '']
  socket.write(Buffer.concat([Buffer.from(head.join('\r\n')), first]))
  return socket
}

test('who is let in has a link, on which nothing is lost that came with the request', async () => {
  const { port, asked, links, answers } = await gate()
  const hello = { type: 'hello', version: '1', label: 'ada' }
  const socket = client(port, batch([encodeCtrl(hello)]))
  const [answer] = (await once(socket, 'data')) as [Buffer]
  expect(answer.toString().split('\r\n')).toEqual([
    'HTTP/1.1 101 Switching Protocols',
    'Upgrade: websocket',
    'Connection: Upgrade',
    'Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=',
    'Sec-WebSocket-Protocol: private-connect.v1',
    'x-private-connect-hub: hub_0123456789abcdef',
    '',
    '',
  ])
  expect(asked).toEqual([['Bearer x', LinkClaims]])
  expect(await answers[0]!.answered).toBe(true)
  const frame = await new Promise<LinkFrame>((resolve) => {
    links[0]!.attach({ frame: resolve, closed() {} })
  })
  expect(frame).toEqual({ type: 'ctrl', message: hello })
})

test('a link takes no message that is larger than any frame', async () => {
  const { port, links } = await gate()
  const socket = client(port)
  await once(socket, 'data')
  const closed = new Promise<string>((resolve) => {
    links[0]!.attach({ frame() {}, closed: resolve })
  })
  // The header of one of 64 KiB and 7 bytes.
  socket.write(Buffer.of(0x82, 0xff, 0, 0, 0, 0, 0, 1, 0, 7, 0, 0, 0, 0))
  expect(await closed).toMatch(/^(a message of 65543 bytes|Max payload size exceeded)$/)
})

test.for<[string, Gate, string[], object]>([
  [
    'comes from a browser',
    {},
    ['GET /v1/link HTTP/1.1', ...OPENING, 'Origin: https://hub.test'],
    { status: '403 Forbidden', error: 'bad_request', message: 'Not for browsers.' },
  ],
  [
    'asks elsewhere',
    {},
    ['GET /v1/links HTTP/1.1', ...OPENING],
    { status: '404 Not Found', error: 'not_found', message: 'Links are at /v1/link.' },
  ],
  [
    'speaks another version of WebSocket',
    {},
    ['GET /v1/link HTTP/1.1', ...OPENING.with(2, 'Sec-WebSocket-Version: 8')],
    {
      status: '426 Upgrade Required',
      error: 'bad_request',
      message: 'Only version 13 of WebSocket is served.',
      header: 'Sec-WebSocket-Version: 13',
    },
  ],
  [
    'makes no proper request',
    {},
    ['GET /v1/link HTTP/1.1', ...OPENING.with(3, 'Sec-WebSocket-Key: x')],
    {
      status: '400 Bad Request',
      error: 'bad_request',
      message: 'Missing or invalid Sec-WebSocket-Key header.',
    },
  ],
  [
    'has signed nothing that is known',
    { authenticate: () => Promise.reject(new RefusedError(401, 'unknown_agent', 'Who?')) },
    ['GET /v1/link HTTP/1.1', ...OPENING],
    { status: '401 Unauthorized', error: 'unknown_agent', message: 'Who?' },
  ],
  [
    'is late',
    {
      checkEpoch: (...args) => {
        expect(args).toEqual([agent, claims])
        throw new RefusedError(409, 'superseded', 'Too late.')
      },
    },
    ['GET /v1/link HTTP/1.1', ...OPENING],
    { status: '409 Conflict', error: 'superseded', message: 'Too late.' },
  ],
])('who %s gets no link, and is told why', async ([, how, request, expected]) => {
  const { port, links, answers } = await gate(how)
  const [head = '', body = ''] = (await answerTo(port, request)).split('\r\n\r\n')
  const { status, header, ...refusal } = expected as { status: string; header?: string }
  expect(JSON.parse(body)).toEqual(refusal)
  expect(head.split('\r\n')).toEqual([
    `HTTP/1.1 ${status}`,
    'Connection: close',
    'Content-Type: application/json',
    `Content-Length: ${body.length}`,
    'x-private-connect-hub: hub_0123456789abcdef',
    ...(header === undefined ? [] : [header]),
  ])
  expect(links).toEqual([])
  expect(await answers[0]!.answered).toBe(false)
})

test('who asks for too much waits a second for his no', async () => {
  const no = new RefusedError(429, 'too_many', 'Too often.')
  const { port } = await gate({ authenticate: () => Promise.reject(no) })
  const since = performance.now()
  expect(await answerTo(port, ['GET /v1/link HTTP/1.1', ...OPENING])).toContain('Too often.')
  // A timer may be a little early.
  expect(performance.now() - since).toBeGreaterThan(990)
})

test('who goes away while he is checked gets no link, and his error is no one else’s', async () => {
  const { promise, resolve } = Promise.withResolvers<never>()
  const { port, asked, answers, links } = await gate({ authenticate: () => promise })
  client(port)
  await expect.poll(() => asked, { timeout: 30_000 }).toHaveLength(1)
  const [{ socket, answered }] = answers as [(typeof answers)[number]]
  const gone = new Promise((resolve) => void socket.on('close', resolve))
  socket.destroy(new Error('connection reset'))
  await gone
  resolve({ agent, claims } as never)
  expect(await answered).toBe(false)
  expect(links).toEqual([])
})

test('nor does who is let in when nothing can be sent to him any more', async () => {
  const { promise, resolve } = Promise.withResolvers<never>()
  const { port, asked, answers, links } = await gate({ authenticate: () => promise })
  client(port)
  await expect.poll(() => asked, { timeout: 30_000 }).toHaveLength(1)
  const [{ socket, answered }] = answers as [(typeof answers)[number]]
  socket.end()
  resolve({ agent, claims } as never)
  expect(await answered).toBe(false)
  expect(links).toEqual([])
})

test.for([
  [undefined, false],
  ['', false],
  ['h2c', false],
  ['xwebsocket', false],
  ['websocket', true],
  ['WebSocket', true],
  ['h2c, websocket', true],
  ['websocket , h2c', true],
] as const)('with Upgrade: %s a request is for a link: %s', ([upgrade, is]) => {
  expect(isForLink({ headers: { upgrade } } as IncomingMessage)).toBe(is)
})

/** Everything that comes back for a request written by hand. */
async function answerTo(port: number, lines: readonly string[], body = ''): Promise<string> {
  const socket = connect(port, '127.0.0.1')
  const length = body === '' ? [] : [`Content-Length: ${body.length}`]
  socket.write([...lines, 'Host: hub.test', ...length, '', body].join('\r\n'))
  let answer = ''
  for await (const chunk of socket.setEncoding('utf8')) answer += String(chunk)
  return answer
}

/** As `curl --http2` and Java's HttpClient send it, but for the end. */
const H2C = ['Connection: close, Upgrade, HTTP2-Settings', 'Upgrade: h2c', 'HTTP2-Settings: AAMAAABkAAQAAP__']

test('a client that offers HTTP/2 is answered over HTTP/1.1', async () => {
  const { hub } = await hubInProcess()
  const answer = await answerTo(hub.port, ['GET /v1/hub HTTP/1.1', ...H2C])
  expect(answer).toMatch(/^HTTP\/1\.1 200 OK\r\n/)
  expect(answer).toContain(`"hub":"${hub.id}"`)
})

test('and so is its body read', async () => {
  const { hub } = await hubInProcess()
  const answer = await answerTo(hub.port, ['POST /v1/join HTTP/1.1', ...H2C], '{"token":"x"}')
  expect(answer).toMatch(/^HTTP\/1\.1 400 Bad Request\r\n/)
  expect(answer).toContain('This is not a join request.')
})

test('a WebSocket elsewhere than at links is refused', async () => {
  const { hub } = await hubInProcess()
  const websocket = ['Connection: Upgrade', 'Upgrade: WebSocket', 'Sec-WebSocket-Version: 13']
  const answer = await answerTo(hub.port, ['GET /v1/hub HTTP/1.1', ...websocket])
  expect(answer).toMatch(/^HTTP\/1\.1 404 Not Found\r\n/)
})
