import { existsSync, readdirSync } from 'node:fs'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { agentIdOf } from '../../src/tunnel/protocol/agent-id.ts'
import type { JoinRequest } from '../../src/tunnel/protocol/handshake.ts'
import { startHostileHub, type HostileOptions } from '../fixtures/hub/hostile-hub.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import { serveTcp } from '../helpers/servers.ts'
import { testVariations } from '../helpers/variations.ts'

const token = `tok_${'0123456789'.repeat(4)}`

/** Tries to log in there. @returns what it said, once it is sure that nothing was saved */
async function loginFails(url: string): Promise<string> {
  const home = emptyHome()
  const env = { PRIVATECONNECT_TOKEN: token }
  const { code, stdout, stderr } = await connect(home, ['login', '--hub', url], { env })
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' })
  expect(stderr).toMatch(/^\[x\] [^\n]+\n(?: {2}[^\n]+\n)+$/)
  expect(stderr).not.toContain(token)
  expect(existsSync(home.file('config.json'))).toBe(false)
  expect(readdirSync(home.file('.')).filter((name) => name !== 'cache')).toEqual([])
  return stderr
}

async function serving(options: HostileOptions): Promise<string> {
  const hub = await startHostileHub(options)
  onTestFinished(() => hub.close())
  return hub.url
}

function html(status: number) {
  return (_request: IncomingMessage, response: ServerResponse) => {
    response.writeHead(status, { 'content-type': 'text/html; charset=utf-8' })
    response.end('<!doctype html><h1>Welcome to the hotel</h1>')
  }
}

describe('login to something that is no hub says what answered:', () => {
  testVariations([200, 502])('a web page with status %i', async (status) => {
    const url = await serving({ answer: html(status) })
    expect(await loginFails(url)).toBe(
      `[x] ${url} answered with HTTP ${status} and text/html, which is not a Private Connect hub’s answer\n` +
        '  Check the address: connect login --hub URL\n',
    )
  })

  test('a redirect, which is not followed: a token may be on its way', async () => {
    let followed = false
    const url = await serving({
      answer(request, response) {
        followed ||= request.url === '/elsewhere'
        response.writeHead(302, { location: '/elsewhere' }).end()
      },
    })
    expect(await loginFails(url)).toContain('answered with HTTP 302')
    expect(followed).toBe(false)
  })
})

describe('login to a hub that cannot be reached says why:', () => {
  test('nobody listens', async () => {
    const server = await serveTcp(() => {})
    await server.close()
    expect(await loginFails(`http://127.0.0.1:${server.port}`)).toMatch(/: connection refused\n/)
  })

  test('the connection is reset', async () => {
    const server = await serveTcp((socket) => socket.resetAndDestroy())
    onTestFinished(() => server.close())
    expect(await loginFails(`http://127.0.0.1:${server.port}`)).toMatch(/: connection (reset|closed)\n/)
  })

  test('it speaks no TLS', async () => {
    const server = createServer()
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    onTestFinished(() => void server.close())
    const url = `https://127.0.0.1:${(server.address() as AddressInfo).port}`
    expect(await loginFails(url)).toContain(': what answered there does not speak TLS\n')
  })
})

testVariations([
  ['another hub', { hub: 'hub_ffffffffffffffff' }],
  ['another agent', { agent: 'agent_ffffffffffffffff' }],
] as const)('login does not believe a hub that says it is %s once it has the token', async ([, other]) => {
  const url = await serving({
    async answer(request, response) {
      const body = await text(request)
      const key = request.url === '/v1/join' ? (JSON.parse(body) as JoinRequest).key : undefined
      response.setHeader('x-private-connect-hub', 'hub_0123456789abcdef')
      const info = { hub: 'hub_0123456789abcdef', protocol: 1, version: '1', nonce: 'a-nonce-of-this-hub' }
      const joined = key && { hub: info.hub, agent: agentIdOf(key), ...other }
      response.end(JSON.stringify(joined ?? info))
    },
  })
  expect(await loginFails(url)).toContain(`${url} said at first that it is hub_0123456789abcdef`)
})

describe('a hub that refuses to let a machine join', () => {
  test.for([
    [
      'in words of its own',
      403,
      { error: 'too_many', message: 'come back tomorrow' },
      'The hub refused: come back tomorrow',
    ],
    ['in words that nobody knows', 403, { error: 'nope' }, 'answered with HTTP 403'],
    ['because it fails', 500, { error: 'internal', message: 'oh' }, 'The hub refused: oh'],
  ] as const)('%s, is quoted', async ([, status, body, sentence]) => {
    const url = await serving({
      answer(request, response) {
        request.resume()
        response.setHeader('x-private-connect-hub', 'hub_0123456789abcdef')
        const info = { hub: 'hub_0123456789abcdef', protocol: 1, version: '1', nonce: 'a-nonce-of-this-hub' }
        if (request.url === '/v1/hub') response.end(JSON.stringify(info))
        else response.writeHead(status).end(JSON.stringify(body))
      },
    })
    expect(await loginFails(url)).toContain(sentence)
  })

  test('cannot put escape codes on the terminal', async () => {
    const url = await serving({
      answer(_request, response) {
        response.setHeader('x-private-connect-hub', 'hub_0123456789abcdef')
        const message = '\u001b[2Jgone\r\nnext line'
        response.writeHead(500).end(JSON.stringify({ error: 'internal', message }))
      },
    })
    const said = await loginFails(url)
    expect(said).toContain('gone')
    expect(said.replaceAll('\n', '')).not.toMatch(/\p{Cc}/u)
  })
})

test('a hub that talks nonsense is no crash of the daemon: it keeps trying, and says why', async () => {
  const home = emptyHome()
  const url = await serving({ link: (socket) => socket.send(Buffer.from([0x7f, 0, 0, 0, 0, 0])) })
  await connectOk(home, ['login', '--hub', url], { env: { PRIVATECONNECT_TOKEN: token } })
  const { code, stdout, stderr } = await connect(home, ['daemon', 'start'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
  expect(stdout).toMatch(
    /\[ok\] Daemon started \(PID: \d+\)\n.*\n {2}Hub: not connected yet.*; the agent keeps trying\n$/,
  )
  await expect
    .poll(() => connectOk(home, ['daemon', 'status']), { timeout: 30_000, interval: 300 })
    .toMatch(/● Status: running\n(?:.*\n)* +Connection: .*unknown frame type 0x7f/)
  const log = await connectOk(home, ['daemon', 'logs'])
  expect(log).toMatch(/Lost the link to the hub: unknown frame type 0x7f\. Reconnecting (in \d|at once)/)
  expect(log).not.toMatch(/^ *at /m)
})
