import { randomBytes } from 'node:crypto'
import type { Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { describe, expect, onTestFinished, test } from 'vitest'
import type { WebSocket } from 'ws'
import { newKey } from '../../../src/hub-client/credential.ts'
import { HubLink } from '../../../src/hub-client/link/hub-link.ts'
import { GOAWAY_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { encodeCtrl, encodeGoaway, encodeOpenOk } from '../../../src/tunnel/protocol/encode.ts'
import { MAX_FRAME_BYTES } from '../../../src/tunnel/protocol/limits.ts'
import { INITIAL_WINDOW } from '../../../src/tunnel/protocol/window-size.ts'
import {
  HUB_ID,
  startHostileHub,
  type HostileHub,
  type HostileOptions,
} from '../../fixtures/hub/hostile-hub.ts'
import { decodeWhole } from '../../tunnel/helpers/whole-frames.ts'
import { rejectionOf } from '../../fixtures/thrown-by.ts'
import { until } from '../../helpers/until.ts'

interface Agent {
  readonly link: HubLink
  readonly log: string[]
  readonly ended: Promise<void>
}

/** An agent’s link to such a hub, which it keeps up until the test ends. */
async function linkedTo(
  options: HostileOptions,
  welcomeTimeoutMs = 10_000,
): Promise<{ hub: HostileHub; agent: Agent }> {
  const hub = await startHostileHub(options)
  const log: string[] = []
  const config = {
    agentId: 'agent_0123456789abcdef',
    label: 'ada',
    hub: hub.url,
    hubId: HUB_ID,
    insecure: false,
  }
  const link = new HubLink({
    config: { ...config, key: await newKey() },
    role: 'agent',
    version: '0.1.0',
    log: (line) => log.push(line),
    onStream: () => {},
    welcomeTimeoutMs,
  })
  const stop = new AbortController()
  const ended = link.run(stop.signal)
  ended.catch(() => {})
  onTestFinished(async () => {
    stop.abort()
    await hub.close()
    await ended.catch(() => {})
  })
  return { hub, agent: { link, log, ended } }
}

/** What a good hub does with a link. */
function welcome(socket: WebSocket): void {
  socket.once('message', () => socket.send(encodeCtrl({ type: 'welcome', hub: HUB_ID, version: '0.1.0' })))
}

/** Misbehaves on the first link, and is a good hub on the next. */
function onceBad(bad: (socket: WebSocket) => void): HostileOptions {
  let links = 0
  return { link: (socket) => (links++ === 0 ? bad(socket) : welcome(socket)) }
}

const proxyPage = (status: string) => (socket: Socket) =>
  socket.end(`HTTP/1.1 ${status}\r\ncontent-type: text/html\r\nconnection: close\r\n\r\n<h1>Welcome</h1>`)

describe('the agent says why, and is back once the hub is good again, after a hub that', () => {
  test.for<[string, (socket: WebSocket) => void, RegExp]>([
    ['closes at once', (socket) => socket.close(), /^Lost the link to the hub: closed without a code\. /],
    [
      'drops the connection',
      (socket) => socket.terminate(),
      /^Lost the link to the hub: closed without a close frame\. /,
    ],
    ['sends text', (socket) => socket.send('hello'), /^Lost the link to the hub: a text message\. /],
    [
      'sends nothing in a frame',
      (socket) => socket.send(Buffer.alloc(0)),
      /: a frame of 0 bytes has no header\. /,
    ],
    [
      'sends an unknown frame',
      (socket) => socket.send(Buffer.from([0x7f, 0, 0, 0, 0, 1])),
      /: unknown frame type 0x7f\. /,
    ],
    [
      'sends control messages that are no JSON',
      (socket) => socket.send(Buffer.from([13, 0, 0, 0, 0, 0, 123])),
      /: a control message that is not JSON\. /,
    ],
    [
      'sends control messages of another kind',
      (socket) => socket.send(encodeCtrl({ type: 'reboot' })),
      /: a control message that this agent does not understand\. /,
    ],
    [
      'sends a frame too large',
      (socket) => socket.send(Buffer.alloc(MAX_FRAME_BYTES + 1)),
      /: (a message of 65543 bytes|Max payload size exceeded)\. /,
    ],
    [
      'sends what is no WebSocket frame',
      (socket) => (socket as unknown as { _socket: Socket })._socket.write(Buffer.alloc(64, 0xff)),
      /: (a length of more than 63 bits|Invalid WebSocket frame: .+)\. /,
    ],
    [
      'says goodbye',
      (socket) =>
        socket.send(encodeGoaway(GOAWAY_CODES.SHUTDOWN, 1, 'going\u001b[2Jdown'), () => socket.close()),
      /^Lost the link to the hub: going \[2Jdown\. /,
    ],
  ])('%s', async ([, bad, reason]) => {
    const { agent } = await linkedTo(onceBad(bad))
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    const [first, ...others] = agent.log
    expect(first).toMatch(reason)
    expect(first).toMatch(/\. Reconnecting (in \d+\.\d s|at once)$/)
    expect(others).toEqual(['[ok] Registered with hub', '[ok] Connected to hub via WebSocket'])
  })

  test('sends any bytes at all', async () => {
    const noise = Array.from({ length: 20 }, (_, index) => randomBytes(index * 7))
    const { agent } = await linkedTo(onceBad((socket) => noise.forEach((bytes) => socket.send(bytes))))
    expect(await agent.link.whenConnected(30_000), noise.map((bytes) => bytes.toString('hex')).join()).toBe(
      true,
    )
    expect(agent.log[0]).toMatch(/^Lost the link to the hub: /)
  })

  test('takes the link and says nothing', async () => {
    const { agent } = await linkedTo(
      onceBad(() => {}),
      300,
    )
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    expect(agent.log[0]).toMatch(/^Lost the link to the hub: the hub did not answer\. /)
  })
})

/** Takes all that is offered or opened, and notes it. @param says more than what hubs have always said */
function taking(offered: unknown[], says: object): HostileOptions {
  return {
    link: (socket) =>
      socket.on('message', (bytes: Buffer) => {
        const frame = decodeWhole(bytes)
        if (frame.type === 'open' || frame.type === 'resume') offered.push(frame)
        if (frame.type !== 'ctrl') return
        const { type, seq, services } = frame.message as { type: string; seq?: number; services?: unknown }
        if (type === 'services') offered.push(services)
        const welcome = { type: 'welcome', hub: HUB_ID, version: '0.1.0', ...says }
        socket.send(encodeCtrl(type === 'hello' ? welcome : { type: 'services', seq, refused: [] }))
      }),
  }
}

describe('services without a port', () => {
  const [web, socket] = [
    { name: 'web', port: 80 },
    { name: 'socket', path: '/run/x.sock' },
  ]

  test('are not told to a hub of before, which gets all others; and the agent hears why', async () => {
    const offered: unknown[] = []
    const { agent } = await linkedTo(taking(offered, {}))
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    const message = 'the hub is of a version that knows no Unix sockets'
    expect(await agent.link.offer([socket, web])).toEqual([{ name: 'socket', error: 'hub too old', message }])
    expect(offered).toEqual([[web]])
  })

  test('are told to a hub that takes them, and where they lead stays here', async () => {
    const offered: unknown[] = []
    const { agent } = await linkedTo(taking(offered, { portless: true }))
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    expect(await agent.link.offer([socket, web])).toEqual([])
    expect(offered).toEqual([[{ name: 'socket' }, web]])
  })
})

describe('the agent that alone may accept a stream', () => {
  const acceptor = 'agent_90facafea9b15566'

  test('is named to a hub that sees to it, and until the stream was accepted', async () => {
    const heard: unknown[] = []
    const links: WebSocket[] = []
    const { link: take } = taking(heard, { named: true })
    const note = (socket: WebSocket) => {
      links.push(socket)
      take!(socket)
    }
    const { agent } = await linkedTo({ link: note })
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    for (const name of ['one', 'two']) agent.link.open(name, 0, acceptor)
    await until(() => heard.length === 2)
    const [one, two] = ['one', 'two'].map((service) => ({ service, from: acceptor, named: true }))
    expect(heard.splice(0)).toMatchObject([one, two])
    links[0]!.send(encodeOpenOk(3, INITIAL_WINDOW))
    links[0]!.close()
    await until(() => heard.length === 2)
    expect(heard).toMatchObject([one, { service: 'two', from: '' }])
    expect(heard[1]).not.toHaveProperty('named')
  })

  test('is not named to a hub of before', async () => {
    const heard: unknown[] = []
    const { agent } = await linkedTo(taking(heard, { portless: true }))
    expect(await agent.link.whenConnected(30_000)).toBe(true)
    agent.link.open('one', 0, acceptor)
    await until(() => heard.length === 1)
    expect(heard).toMatchObject([{ service: 'one', from: '' }])
    expect(heard[0]).not.toHaveProperty('named')
  })
})

describe('what is not the hub’s own word never ends the agent:', () => {
  test.for<[string, (socket: Socket) => void, RegExp]>([
    [
      'a proxy’s 401',
      proxyPage('401 Unauthorized'),
      /answered with HTTP 401 and text\/html, which is not a /,
    ],
    ['a proxy’s 403', proxyPage('403 Forbidden'), /answered with HTTP 403 and text\/html, which is not a /],
    ['a proxy’s 502', proxyPage('502 Bad Gateway'), /answered with HTTP 502 and text\/html, which is not a /],
    ['a web page', proxyPage('200 OK'), /answered with HTTP 200 and text\/html, which is not a /],
    [
      'a redirect',
      (socket) => socket.end('HTTP/1.1 302 Found\r\nlocation: /login\r\nconnection: close\r\n\r\n'),
      /answered with HTTP 302, which is not a /,
    ],
    [
      'a refusal without a hub’s header',
      (socket) =>
        socket.end('HTTP/1.1 401 No\r\nconnection: close\r\n\r\n{"error":"revoked","message":"x","time":1}'),
      /answered with HTTP 401, which is not a /,
    ],
    [
      'an upgrade to something else',
      (socket) =>
        socket.write(
          'HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\nsec-websocket-accept: x\r\n\r\n',
        ),
      /which is not a |is not a hub: /,
    ],
    [
      'another protocol',
      (socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'),
      /is not a hub: |Could not reach the hub at /,
    ],
    [
      'a hang-up',
      (socket) => socket.destroy(),
      /Could not reach the hub at .*: connection (closed|reset)|hang up/,
    ],
    ['a reset', (socket) => socket.resetAndDestroy(), /Could not reach the hub at .*: connection reset/],
  ])('%s', async ([, upgrade, reason]) => {
    const { agent } = await linkedTo({ upgrade })
    await expect.poll(() => agent.log.length, { timeout: 30_000 }).toBeGreaterThan(1)
    for (const line of agent.log) expect(line).toMatch(reason)
    expect(agent.link.state).toMatchObject({ state: 'retrying', reason: expect.stringMatching(reason) })
  })
})

test('only the hub’s own word that this key was revoked ends it', async () => {
  const refusal = JSON.stringify({ error: 'revoked', message: 'x' })
  const header = `x-private-connect-hub: ${HUB_ID}`
  const { agent } = await linkedTo({
    upgrade: (socket) => socket.end(`HTTP/1.1 401 No\r\n${header}\r\nconnection: close\r\n\r\n${refusal}`),
  })
  expect((await rejectionOf(agent.ended)).code).toBe('REVOKED')
})

describe('a hub that sends the agent away', () => {
  const refusal = JSON.stringify({ error: 'nonce', message: 'x', nonce: 'another-one-each-time' })
  const head = `HTTP/1.1 401 No\r\nx-private-connect-hub: ${HUB_ID}\r\nconnection: close\r\n\r\n`
  const goaway = (code: 1 | 4, afterMs: number) => ({
    link: (socket: WebSocket) => socket.send(encodeGoaway(code, afterMs, 'go away'), () => socket.close()),
  })
  const hubs: readonly HostileOptions[] = [
    goaway(GOAWAY_CODES.PROTOCOL, 0),
    goaway(GOAWAY_CODES.SHUTDOWN, 0),
    // 49 days, which no timer can count.
    goaway(GOAWAY_CODES.SHUTDOWN, 2 ** 32 - 1),
    { upgrade: (socket) => socket.end(head + refusal) },
  ]

  test('again and again, or which wants something else signed each time, is not dialled without a pause', async () => {
    const linked = await Promise.all(hubs.map((options) => linkedTo(options)))
    await sleep(1500)
    for (const { hub } of linked) {
      expect(hub.links).toBeGreaterThan(0)
      expect(hub.links).toBeLessThan(15)
    }
  })

  test('for days is dialled sooner', async () => {
    const { agent } = await linkedTo(goaway(GOAWAY_CODES.SHUTDOWN, 2 ** 31 - 1))
    await expect.poll(() => agent.log.length, { timeout: 30_000 }).toBeGreaterThan(0)
    expect(Number(/Reconnecting in (\d+)/.exec(agent.log[0]!)?.[1])).toBeLessThan(3600)
  })
})
