import { once } from 'node:events'
import {
  Agent as HttpAgent,
  createServer,
  request as httpRequest,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { newKey, Signer } from '../../../src/hub-client/credential.ts'
import { Authenticator } from '../../../src/hub/auth/authenticator.ts'
import { Nonces } from '../../../src/hub/auth/nonces.ts'
import { RefusedError } from '../../../src/hub/auth/refused-error.ts'
import type { ConcurrencyOptions } from '../../../src/hub/http/concurrency-limit.ts'
import { HttpApi } from '../../../src/hub/http/api.ts'
import { welcomePage } from '../../../src/hub/http/welcome-page.ts'
import type { LinkTable } from '../../../src/hub/links/link-table.ts'
import type { Registry } from '../../../src/hub/registry/registry.ts'
import { StoreError } from '../../../src/hub/store/store-error.ts'
import type { Agent } from '../../../src/hub/store/store.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { HUB_HEADER } from '../../../src/tunnel/protocol/handshake.ts'

const hubId = 'hub_0123456789abcdef'
const json = { [HUB_HEADER]: hubId, 'content-type': 'application/json', 'cache-control': 'no-store' }

interface Asked {
  readonly headers?: Record<string, string>
  readonly body?: string
}

/** A hub's API on a server of its own: what stands behind it is in the hands of the test. */
async function hubApi(concurrency?: ConcurrencyOptions) {
  const agents = new Map<string, Agent>()
  const serving = new Set<string>()
  const registry = {
    hubId,
    agent: (id) => agents.get(id),
    services: () => [],
    join: () => Promise.resolve(true),
    tokenState: (token) => Promise.resolve(token === 'tok_1' ? 'valid' : undefined),
    remove: () => Promise.resolve({ saved: true }),
  } satisfies Partial<Registry> as unknown as Registry
  const links = { isServing: (id) => serving.has(id) } satisfies Partial<LinkTable> as unknown as LinkTable
  const nonces = new Nonces()
  const log: string[] = []
  const write = (line: string) => void log.push(line)
  const options = { version: '1.2.3', log: write, ...(concurrency && { concurrency }) }
  const api = new HttpApi(registry, links, nonces, new Authenticator(registry, nonces), options)
  const answers: Promise<void>[] = []
  /** Whoever gets no answer is not left waiting. */
  const end = (response: ServerResponse) => {
    if (!response.writableEnded) response.destroy()
  }
  const server = createServer({ requireHostHeader: false }, (request, response) => {
    answers.push(api.answer(request, response).finally(() => end(response)))
  })
  server.on('checkExpectation', (request, response) => {
    api.refuse(request, response, new RefusedError(417, 'bad_request', 'Not expected.', { retryAfter: 7 }))
    end(response)
  })
  await once(server.listen(0, '127.0.0.1'), 'listening')
  const { port } = server.address() as AddressInfo
  const agent = new HttpAgent({ keepAlive: true })
  onTestFinished(() => {
    agent.destroy()
    server.closeAllConnections()
    server.close()
  })

  /** A request whose body, if it has one, may not be at its end. */
  const begin = (method: string, path: string, headers: Record<string, string> = {}) =>
    httpRequest({ host: '127.0.0.1', port, method, path, headers, agent })
  const answerOf = async (asking: ReturnType<typeof begin>) => {
    const [response] = (await once(asking, 'response')) as [IncomingMessage]
    return { status: response.statusCode, headers: response.headers, text: await text(response) }
  }
  const ask = async (method: string, path: string, { headers, body }: Asked = {}) => {
    const answer = await answerOf(begin(method, path, headers).end(body))
    return { ...answer, json: answer.text === '' ? undefined : (JSON.parse(answer.text) as unknown) }
  }
  /** Someone with a key; known to the hub once it is among `agents`. */
  const someone = async (label = 'ada') => {
    const { d, ...key } = await newKey()
    const id = agentIdOf(key)
    const signer = new Signer({ agentId: id, hubId, key: { ...key, d } })
    const member: Agent = { id, workspace: 'default', key, label, joinedAt: 0, revoked: false }
    const bearer = async () => ({
      authorization: `Bearer ${await signer.sign({ purpose: 'api' }, nonces.make())}`,
    })
    const joining = async (purpose = 'join') =>
      JSON.stringify({ token: 'tok_1', key, label, proof: await signer.sign({ purpose }, nonces.make()) })
    return { id, key, member, bearer, joining }
  }
  const member = async (label?: string) => {
    const one = await someone(label)
    agents.set(one.id, one.member)
    return one
  }
  return {
    server,
    port,
    registry,
    serving,
    nonces,
    log,
    answers,
    begin,
    answerOf,
    ask,
    someone,
    member,
  }
}

function refusal(status: number, error: string, message: string) {
  return { status, headers: expect.objectContaining(json), json: { error, message } }
}

describe('anyone', () => {
  test('sees a page in a browser', async () => {
    const { begin, answerOf } = await hubApi()
    expect(await answerOf(begin('GET', '/').end())).toMatchObject({
      status: 200,
      headers: { ...json, 'content-type': 'text/plain; charset=utf-8' },
      text: welcomePage('1.2.3'),
    })
  })

  test.for(['/healthz', '/healthz?now'])('learns by %s that the hub is well', async (path) => {
    const { ask } = await hubApi()
    expect(await ask('GET', path)).toMatchObject({ status: 200, headers: json, json: { ok: true } })
  })

  test('learns which hub it is, and gets something to sign', async () => {
    const { ask, nonces } = await hubApi()
    const { status, headers, json: info } = await ask('GET', '/v1/hub')
    expect({ status, headers }).toMatchObject({ status: 200, headers: json })
    expect(info).toEqual({ hub: hubId, protocol: 1, version: '1.2.3', nonce: expect.any(String) })
    expect(nonces.isGood((info as { nonce: string }).nonce)).toBe(true)
  })

  test('gets something to sign by itself', async () => {
    const { ask, nonces } = await hubApi()
    const { status, json: reply } = await ask('GET', '/v1/nonce')
    expect({ status, reply }).toEqual({ status: 200, reply: { nonce: expect.any(String) } })
    expect(nonces.isGood((reply as { nonce: string }).nonce)).toBe(true)
  })

  test('may ask for the head of an answer alone', async () => {
    const { ask } = await hubApi()
    const length = { 'content-length': String('{"ok":true}\n'.length) }
    expect(await ask('HEAD', '/healthz')).toMatchObject({ status: 200, headers: { ...json, ...length } })
    expect(await ask('HEAD', '/v1/join')).toMatchObject({ status: 404, headers: json })
  })

  test.for([
    ['POST', '/healthz'],
    ['GET', '/v1/join'],
    ['GET', '/v1/agent'],
    ['DELETE', '/v1/services'],
    ['GET', '/other'],
  ] as const)('who asks for %s %s is told that it is not there', async ([method, path]) => {
    const { ask, log } = await hubApi()
    expect(await ask(method, path)).toMatchObject(refusal(404, 'not_found', 'There is no such thing here.'))
    expect(log).toEqual([])
  })

  test('has to say which host is meant, unless by HTTP/1.0', async () => {
    const { port } = await hubApi()
    const answerTo = async (head: string) => text(connect(port, '127.0.0.1').end(`${head}\r\n\r\n`))
    const refused = await answerTo('GET /healthz HTTP/1.1\r\nConnection: close')
    expect(refused).toMatch(/^HTTP\/1.1 400 .*"message":"There is no Host header\."\}\n$/s)
    expect(refused).toContain('{"error":"bad_request",')
    for (const head of [
      'GET /healthz HTTP/1.1\r\nConnection: close\r\nHost: x',
      'GET /healthz HTTP/1.0',
      'GET /healthz HTTP/1.0\r\nHost: x',
    ])
      expect(await answerTo(head), head).toMatch(/^HTTP\/1.1 200 .*\{"ok":true\}\n$/s)
  })
})

describe('an answer', () => {
  test('leaves the connection open, unless it comes before the end of what was asked', async () => {
    const { ask, begin, answerOf } = await hubApi()
    expect((await ask('GET', '/other')).headers.connection).toBe('keep-alive')
    const endless = begin('POST', '/other', { 'content-length': '10' }).on('error', () => {})
    endless.write('{')
    expect((await answerOf(endless)).headers.connection).toBe('close')
  })

  test('may be a refusal whatever is asked', async () => {
    const { begin, answerOf } = await hubApi()
    const asking = begin('POST', '/v1/join', { expect: 'cake', 'content-length': '2' }).on('error', () => {})
    asking.flushHeaders()
    const { text: body, ...head } = await answerOf(asking)
    expect(head).toMatchObject({ status: 417, headers: { ...json, 'retry-after': '7', connection: 'close' } })
    expect(JSON.parse(body)).toEqual({ error: 'bad_request', message: 'Not expected.' })
  })

  test('hides what has failed, which is logged, of each kind of request by itself', async () => {
    const { ask, log, registry, someone, member } = await hubApi()
    registry.join = () => Promise.reject(new Error('a bug'))
    registry.remove = () => Promise.reject(new Error('another'))
    const internal = refusal(500, 'internal', 'The hub failed; its output says why.')
    const body = await (await someone()).joining()
    expect(await ask('POST', '/v1/join?x', { body })).toMatchObject(internal)
    const headers = await (await member()).bearer()
    expect(await ask('DELETE', '/v1/agent', { headers })).toMatchObject(internal)
    expect(log.filter((line) => line.startsWith('[x]'))).toEqual([
      '[x] POST /v1/join: a bug',
      '[x] DELETE /v1/agent: another',
    ])
  })

  test('that nobody waits for any more is nothing to log', async () => {
    const { begin, answers, log } = await hubApi()
    const asking = begin('POST', '/v1/join', { 'content-length': '10' }).on('error', () => {})
    asking.write('{')
    await expect.poll(() => answers.length, { timeout: 30_000 }).toBe(1)
    asking.destroy()
    await answers[0]
    expect(log).toEqual([])
  })
})

describe('who joins', () => {
  test('is entered with its key and its label, and that is logged', async () => {
    const { ask, log, registry, someone } = await hubApi()
    const joined: unknown[] = []
    registry.join = async (request) => joined.push(request) > 0
    const [ada, bob] = [await someone(), await someone('bob')]
    for (const one of [ada, ada, bob])
      expect(await ask('POST', '/v1/join', { body: await one.joining() })).toMatchObject({
        status: 200,
        headers: json,
        json: { agent: one.id, hub: hubId },
      })
    const entry = { token: 'tok_1', agent: ada.id, key: ada.key, label: 'ada' }
    expect(joined).toEqual([entry, entry, { token: 'tok_1', agent: bob.id, key: bob.key, label: 'bob' }])
    // Of the same one again at once no more is said.
    expect(log).toEqual([`${ada.id} (ada) has joined`, `${bob.id} (bob) has joined`])
  })

  test.for(['{}', '[]', '{"token":"tok_1"}'])('has to ask for it: %s is refused', async (body) => {
    const { ask } = await hubApi()
    expect(await ask('POST', '/v1/join', { body })).toMatchObject(
      refusal(400, 'bad_request', 'This is not a join request.'),
    )
  })

  test('with a token that is not taken is refused, which is logged once a second', async () => {
    const { ask, log, registry, someone } = await hubApi()
    registry.join = () => Promise.resolve(false)
    const message = 'The join token is unknown, used up, expired or revoked.'
    for (const one of [await someone(), await someone()])
      expect(await ask('POST', '/v1/join', { body: await one.joining() })).toMatchObject(
        refusal(403, 'token_refused', message),
      )
    expect(log).toEqual(['[!] A join token was refused to 127.0.0.1'])
  })

  test.for(['used up', 'expired', 'revoked'] as const)(
    'with a token that is %s is told so',
    async (state) => {
      const { ask, registry, someone } = await hubApi()
      registry.join = () => Promise.resolve(false)
      registry.tokenState = () => Promise.resolve(state)
      expect(await ask('POST', '/v1/join', { body: await (await someone()).joining() })).toMatchObject({
        status: 403,
        json: { error: 'token_refused', message: `The join token is ${state}.`, tokenState: state },
      })
    },
  )

  test('with a proof of something else is refused, and nothing is logged', async () => {
    const { ask, log, someone } = await hubApi()
    expect(await ask('POST', '/v1/join', { body: await (await someone()).joining('api') })).toMatchObject(
      refusal(401, 'bad_token', 'The proof is a token for something else.'),
    )
    expect(log).toEqual([])
  })

  test('while the disk is full is told so, and the store logs it', async () => {
    const { ask, log, registry, someone } = await hubApi()
    registry.join = () => Promise.reject(new StoreError({ kind: 'storage', reason: 'its disk is full' }))
    expect(await ask('POST', '/v1/join', { body: await (await someone()).joining() })).toMatchObject(
      refusal(507, 'storage', 'The hub can’t save it: its disk is full.'),
    )
    expect(log).toEqual([])
  })

  test('does not wait for those who ask for lists', async () => {
    const { ask, registry, someone, member } = await hubApi({ atOnce: 1, waiting: 0 })
    const { promise, resolve } = Promise.withResolvers<boolean>()
    const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
    registry.join = () => (begin(), promise)
    const body = await (await someone()).joining()
    const joining = ask('POST', '/v1/join', { body })
    await begun
    expect(await ask('POST', '/v1/join', { body })).toMatchObject({ status: 503 })
    const headers = await (await member()).bearer()
    expect(await ask('GET', '/v1/services', { headers })).toMatchObject({ status: 200 })
    resolve(true)
    expect(await joining).toMatchObject({ status: 200 })
  })
})

describe('a member', () => {
  test('sees the services of its workspace, and who of those that offer them is there', async () => {
    const { ask, registry, serving, member } = await hubApi()
    const [ada, bob] = [await member(), await member('bob')]
    serving.add(bob.id)
    const service = (name: string, port: number, agent: string) => ({
      name,
      port,
      agent,
      workspace: 'default',
    })
    // Of one that has logged out meanwhile nothing is shown.
    const services = [service('db', 5432, ada.id), service('web', 80, bob.id), service('old', 1, 'gone')]
    registry.services = (workspace) => (workspace === 'default' ? services : [])
    expect(await ask('GET', '/v1/services', { headers: await ada.bearer() })).toMatchObject({
      status: 200,
      headers: json,
      json: {
        services: [
          { name: 'db', port: 5432, agent: ada.id, label: 'ada', online: false },
          { name: 'web', port: 80, agent: bob.id, label: 'bob', online: true },
        ],
      },
    })
  })

  test('that asks for one service gets that alone, however many there are', async () => {
    const { ask, registry, member } = await hubApi()
    const { id, bearer } = await member()
    registry.services = () => expect.fail('all were looked at')
    registry.service = (workspace, name) =>
      name === 'a b' ? { name, port: 5432, agent: id, workspace } : undefined
    const asked = async (query: string) =>
      (await ask('GET', `/v1/services?${query}`, { headers: await bearer() })).json
    expect(await asked('name=a%20b')).toEqual({
      services: [{ name: 'a b', port: 5432, agent: id, label: 'ada', online: false }],
    })
    expect(await asked('x=y&name=web')).toEqual({ services: [] })
  })

  test('gets services without a port only if it asks for them: it could not read the list else', async () => {
    const { ask, registry, member } = await hubApi()
    const { id, bearer } = await member()
    const services = [
      { name: 'db', port: 5432, agent: id, workspace: 'default' },
      { name: 'socket', agent: id, workspace: 'default' },
    ]
    registry.services = () => services
    registry.service = (_workspace, name) => services.find((service) => service.name === name)
    const named = async (query: string) => {
      const { json: list } = await ask('GET', `/v1/services${query}`, { headers: await bearer() })
      return (list as { services: { name: string; port?: number }[] }).services.map(({ name, port }) => [
        name,
        port,
      ])
    }
    expect(await named('')).toEqual([['db', 5432]])
    expect(await named('?portless=false')).toEqual([['db', 5432]])
    expect(await named('?name=socket')).toEqual([])
    expect(await named('?portless=true')).toEqual([
      ['db', 5432],
      ['socket', undefined],
    ])
    expect(await named('?portless=true&name=socket')).toEqual([['socket', undefined]])
  })

  test('logs out', async () => {
    const { ask, log, registry, member } = await hubApi()
    const removed: string[] = []
    registry.remove = (id) => (removed.push(id), Promise.resolve({ saved: true }))
    const { id, bearer } = await member()
    expect(await ask('DELETE', '/v1/agent', { headers: await bearer() })).toMatchObject({
      status: 200,
      headers: json,
      json: { removed: id },
    })
    expect(removed).toEqual([id])
    expect(log).toEqual([`${id} has logged out`])
  })

  test('that logs out while the disk is full is told that it is done, and not saved', async () => {
    const { ask, log, registry, member } = await hubApi()
    registry.remove = () => Promise.resolve({ saved: false, reason: 'its disk is full' })
    const { id, bearer } = await member()
    expect(await ask('DELETE', '/v1/agent', { headers: await bearer() })).toMatchObject(
      refusal(507, 'storage', 'Done, but the hub can’t save it yet: its disk is full.'),
    )
    expect(log).toEqual([`${id} has logged out`])
  })

  test('is nobody whom the hub does not know, or who brings no token', async () => {
    const { ask, log, someone } = await hubApi()
    expect(await ask('GET', '/v1/services', { headers: await (await someone()).bearer() })).toMatchObject(
      refusal(401, 'unknown_agent', 'This hub does not know this agent.'),
    )
    expect(await ask('DELETE', '/v1/agent')).toMatchObject(
      refusal(401, 'bad_token', 'There is no usable bearer token.'),
    )
    expect(log).toEqual([])
  })

  test('that does not read its lists gets no more of them, and others do', async () => {
    const { registry, member, server, port } = await hubApi()
    const [ada, bob] = [await member(), await member('bob')]
    // More than the sockets take while nobody reads.
    const services = Array.from({ length: 100_000 }, (_, n) => ({
      workspace: 'default',
      name: `n${n}`,
      agent: ada.id,
      port: 1,
    }))
    registry.services = () => services
    /** Asks for the list, and reads no more than its beginning, until it gives up. */
    const ask = async ({ bearer }: typeof ada) => {
      const asked = once(server, 'request') as Promise<[IncomingMessage, ServerResponse]>
      const socket = connect(port, '127.0.0.1')
      const { authorization } = await bearer()
      socket.write(`GET /v1/services HTTP/1.1\r\nHost: x\r\nAuthorization: ${authorization}\r\n\r\n`)
      const [head] = (await once(socket, 'data')) as [Buffer]
      socket.pause()
      const [, response] = await asked
      const giveUp = async () => {
        const closed = once(response, 'close')
        socket.destroy()
        await closed
      }
      return { answer: head.toString(), status: response.statusCode, giveUp }
    }
    await (await ask(ada)).giveUp()
    const unread = [await ask(ada), await ask(ada), await ask(ada), await ask(ada)]
    expect(unread.map(({ status }) => status)).toEqual([200, 200, 200, 200])
    const since = performance.now()
    const { status, answer } = await ask(ada)
    // So that asking again at once is no faster than that.
    expect(performance.now() - since).toBeGreaterThan(900)
    const message = 'This agent has lists to read before it gets another one.'
    expect(status).toBe(429)
    expect(answer).toContain(`{"error":"too_many","message":"${message}"}`)
    expect((await ask(bob)).status).toBe(200)
    await unread[0]!.giveUp()
    expect((await ask(ada)).status).toBe(200)
    expect((await ask(ada)).status).toBe(429)
  })
})
