import { once } from 'node:events'
import { request } from 'node:http'
import { connect } from 'node:net'
import { text } from 'node:stream/consumers'
import { describe, expect, test } from 'vitest'
import { shutOut } from '../../src/cli/hub/shut-out.ts'
import type { Config } from '../../src/config/config.ts'
import { newKey, Signer } from '../../src/hub-client/credential.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { Store } from '../../src/hub/store/store.ts'
import { agentIdOf } from '../../src/tunnel/protocol/agent-id.ts'
import { HUB_HEADER } from '../../src/tunnel/protocol/handshake.ts'
import { SUBPROTOCOL } from '../../src/tunnel/protocol/limits.ts'
import {
  hubInProcess,
  joinToken,
  member,
  nonceOf,
  stranger,
  type TestHub,
} from '../fixtures/hub/hub-in-process.ts'

interface Refusal {
  readonly status: number
  readonly error: string
}

/** The hub's own refusal, in the form that it always has. */
async function refusalOf(hub: TestHub, path: string, init: RequestInit = {}): Promise<Refusal> {
  const response = await fetch(hub.url + path, { redirect: 'manual', ...init })
  expect(response.headers.get(HUB_HEADER)).toBe(hub.hub.id)
  expect(response.headers.get('content-type')).toBe('application/json')
  const body = (await response.json()) as { error: string }
  expect(body).toMatchObject({ error: expect.any(String), message: expect.any(String) })
  return { status: response.status, error: body.error }
}

function publicKey({ key: { kty, crv, x } }: Config) {
  return { kty, crv, x }
}

describe('the hub', () => {
  test('says who it is, and that it is well', async () => {
    const hub = await hubInProcess()
    expect(await new HubClient({ hub: hub.url }).info()).toMatchObject({
      hub: hub.hub.id,
      protocol: 1,
      version: '0.1.0',
    })
    expect(await (await fetch(`${hub.url}/healthz`)).json()).toEqual({ ok: true })
    expect(await (await fetch(hub.url)).text()).toContain('This is a Private Connect hub')
  })

  test.for([
    ['GET', '/nothing'],
    ['GET', '/v1'],
    ['GET', '/v1/hub/'],
    ['GET', '/v1/join'],
    ['POST', '/v1/hub'],
    ['DELETE', '/v1/services'],
    ['PUT', '/v1/agent'],
    ['GET', '/../etc/passwd'],
    ['GET', '/%2e%2e/%2e%2e/etc/passwd'],
    ['OPTIONS', '/v1/join'],
  ] as const)('knows no %s %s', async ([method, path]) => {
    expect(await refusalOf(await hubInProcess(), path, { method })).toEqual({
      status: 404,
      error: 'not_found',
    })
  })

  test('survives what is no HTTP', async () => {
    const hub = await hubInProcess()
    for (const noise of [
      '\r\n\r\n\r\n',
      'GET\r\n\r\n',
      '\u0016\u0003\u0001\u0002\u0000',
      'x'.repeat(100_000),
    ]) {
      const socket = connect(hub.hub.port, '127.0.0.1')
      socket.on('error', () => {}).resume()
      socket.end(noise)
      // A reset is as good an answer as any.
      await new Promise((resolve) => socket.once('close', resolve))
    }
    expect((await fetch(`${hub.url}/healthz`)).status).toBe(200)
  })
})

describe('a request to join is refused', () => {
  test.for([
    ['without a body', ''],
    ['that is not JSON', 'token=tok_0'],
    ['that is half JSON', '{"token":"tok_'],
    ['that is a list', '[]'],
    ['without a key', '{"token":"tok_0","label":"ada","proof":"x"}'],
    ['with a key of another kind', '{"token":"tok_0","label":"ada","proof":"x","key":{"kty":"RSA"}}'],
  ] as const)('%s', async ([, body]) => {
    const hub = await hubInProcess()
    expect(await refusalOf(hub, '/v1/join', { method: 'POST', body })).toEqual({
      status: 400,
      error: 'bad_request',
    })
  })

  test('of 20 kB, and of one that never ends', async () => {
    const hub = await hubInProcess()
    const body = JSON.stringify({ token: 'x'.repeat(20_000) })
    expect(await refusalOf(hub, '/v1/join', { method: 'POST', body })).toEqual({
      status: 413,
      error: 'bad_request',
    })

    const endless = request(`${hub.url}/v1/join`, { method: 'POST' })
    endless.on('error', () => {})
    const answered = once(endless, 'response')
    const more = () => void (endless.destroyed || endless.write(Buffer.alloc(8192), more))
    more()
    const [response] = (await answered) as [import('node:http').IncomingMessage]
    expect(response.statusCode).toBe(413)
    response.destroy()
    expect((await fetch(`${hub.url}/healthz`)).status).toBe(200)
  })

  test('whose proof is another key’s, another hub’s, for something else, not for now, or none; and no token is spent', async () => {
    const hub = await hubInProcess()
    const ada = await stranger(hub)
    const eve = await stranger(hub, 'eve')
    const token = await joinToken(hub.folder)
    const purpose = { purpose: 'join' }
    const nonce = await nonceOf(hub)
    const proofs: [string, string, number][] = [
      [await new Signer(eve).sign(purpose, nonce), 'bad_token', 401],
      [await new Signer({ ...ada, key: eve.key }).sign(purpose, nonce), 'bad_token', 401],
      [
        await new Signer({ ...ada, hubId: 'hub_0000000000000000' }).sign(purpose, nonce),
        'unknown_agent',
        401,
      ],
      [await new Signer(ada).sign(purpose, 'a-nonce-of-nobody'), 'nonce', 401],
      [await new Signer(ada).sign({ purpose: 'api' }, nonce), 'bad_token', 401],
      ['', 'bad_token', 401],
      ['a.b.c', 'bad_token', 401],
      // A token without a signature (RFC 7519 §6).
      [
        `${btoa('{"alg":"none"}')}.${btoa(`{"iss":"${ada.agentId}","aud":"${hub.hub.id}"}`)}.`,
        'bad_token',
        401,
      ],
    ]
    for (const [proof, error, status] of proofs) {
      const body = JSON.stringify({ token, key: publicKey(ada), label: 'ada', proof })
      expect(await refusalOf(hub, '/v1/join', { method: 'POST', body }), proof).toEqual({ status, error })
    }
    const store = await Store.open(hub.folder)
    expect(store.tokens()).toMatchObject([{ usesLeft: 1, state: 'valid' }])
    expect(store.agents()).toEqual([])
    store.close()
  })

  test('with a key that is no point of the curve', async () => {
    const hub = await hubInProcess()
    const ada = await stranger(hub)
    const proof = await new Signer(ada).sign({ purpose: 'join' }, await nonceOf(hub))
    const key = { ...publicKey(ada), x: 'A'.repeat(42) + 'E' }
    const body = JSON.stringify({ token: await joinToken(hub.folder), key, label: 'ada', proof })
    const { status } = await refusalOf(hub, '/v1/join', { method: 'POST', body })
    expect([400, 401]).toContain(status)
  })

  test('with a key in another spelling than its own, which would be another id', async () => {
    const hub = await hubInProcess()
    const ada = await member(hub)
    await shutOut(hub.folder, 'revoke agent', ada.agentId)
    const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
    const last = letters.indexOf(ada.key.x.at(-1)!)
    for (const step of [0, 1, 2, 3]) {
      const key = { ...publicKey(ada), x: ada.key.x.slice(0, -1) + letters[last + step] }
      const { agentId } = { agentId: agentIdOf(key) }
      const signer = new Signer({ ...ada, agentId })
      const proof = await signer.sign({ purpose: 'join' }, await nonceOf(hub))
      const body = JSON.stringify({ token: await joinToken(hub.folder), key, label: 'ada', proof })
      const refused =
        step === 0 ? { status: 403, error: 'token_refused' } : { status: 400, error: 'bad_request' }
      expect(await refusalOf(hub, '/v1/join', { method: 'POST', body })).toEqual(refused)
    }
  })

  test('with an unknown token, and who tries is logged without it, once a second', async () => {
    const hub = await hubInProcess()
    const ada = await stranger(hub)
    const token = `tok_${'0'.repeat(40)}`
    const proof = await new Signer(ada).sign({ purpose: 'join' }, await nonceOf(hub))
    const body = JSON.stringify({ token, key: publicKey(ada), label: 'ada', proof })
    expect(await refusalOf(hub, '/v1/join', { method: 'POST', body })).toEqual({
      status: 403,
      error: 'token_refused',
    })
    for (let turn = 0; turn < 20; turn++) {
      const again = await new Signer(ada).sign({ purpose: 'join' }, await nonceOf(hub))
      const tried = JSON.stringify({ token, key: publicKey(ada), label: 'ada', proof: again })
      await refusalOf(hub, '/v1/join', { method: 'POST', body: tried })
    }
    expect(hub.log[0]).toBe('[!] A join token was refused to 127.0.0.1')
    expect(hub.log.length).toBeLessThan(5)
  })
})

describe('the list of services', () => {
  const asked = async (hub: TestHub, authorization: string | undefined) =>
    refusalOf(hub, '/v1/services', authorization === undefined ? {} : { headers: { authorization } })

  test('is shown to members', async () => {
    const hub = await hubInProcess()
    const ada = await member(hub)
    expect(await new HubClient({ hub: hub.url }).services(new Signer(ada))).toEqual([])
  })

  test('is shown to nobody else', async () => {
    const hub = await hubInProcess()
    const ada = await member(hub)
    const eve = await stranger(hub, 'eve')
    const api = { purpose: 'api' }
    const bearer = async (config: Config, claims: Record<string, string> = api) =>
      `Bearer ${await new Signer(config).sign(claims, await nonceOf(hub))}`
    for (const nothing of [undefined, '', 'Bearer', 'Bearer x', 'Basic YTpi', `Bearer ${'x'.repeat(5000)}`])
      expect(await asked(hub, nothing), nothing).toEqual({ status: 401, error: 'bad_token' })
    expect(await asked(hub, await bearer(eve))).toEqual({ status: 401, error: 'unknown_agent' })
    expect(await asked(hub, await bearer({ ...ada, key: eve.key }))).toEqual({
      status: 401,
      error: 'bad_token',
    })
    expect(await asked(hub, await bearer(ada, { purpose: 'link' }))).toEqual({
      status: 401,
      error: 'bad_token',
    })
    expect(await asked(hub, await bearer({ ...ada, hubId: 'hub_0000000000000000' }))).toEqual({
      status: 401,
      error: 'unknown_agent',
    })
    const stale = await new Signer(ada).sign(api, 'a-nonce-of-nobody')
    expect(await asked(hub, `Bearer ${stale}`)).toEqual({ status: 401, error: 'nonce' })
  })

  test('tells only the holder of the key that it was revoked', async () => {
    const hub = await hubInProcess()
    const ada = await member(hub)
    const store = await Store.open(hub.folder)
    store.revokeAgent(ada.agentId)
    store.close()
    const forged = { ...ada, key: await newKey() }
    const bearer = async (config: Config) =>
      `Bearer ${await new Signer(config).sign({ purpose: 'api' }, await nonceOf(hub))}`
    await expect
      .poll(async () => asked(hub, await bearer(ada)), { timeout: 30_000 })
      .toEqual({ status: 401, error: 'revoked' })
    expect(await asked(hub, await bearer(forged))).toEqual({ status: 401, error: 'bad_token' })
  })
})

describe('a link is refused before it is up', () => {
  const upgrade = async (hub: TestHub, path: string, headers: Record<string, string>) => {
    const asked = request(hub.url + path, {
      headers: {
        connection: 'Upgrade',
        upgrade: 'websocket',
        'sec-websocket-version': '13',
        'sec-websocket-key': 'dGhlIHNhbXBsZSBub25jZQ==',
        ...headers,
      },
    })
    asked.end()
    const [response] = (await once(asked, 'response')) as [import('node:http').IncomingMessage]
    expect(response.headers[HUB_HEADER]).toBe(hub.hub.id)
    const { error } = JSON.parse(await text(response)) as { error: string }
    return { status: response.statusCode, error }
  }
  const spoken = { 'sec-websocket-protocol': SUBPROTOCOL }

  test('without a token, from a browser, in another language, or elsewhere', async () => {
    const hub = await hubInProcess()
    const signer = new Signer(await member(hub))
    const claims = { purpose: 'link', link: '0'.repeat(32), epoch: 1, role: 'agent' }
    const authorization = `Bearer ${await signer.sign(claims, await nonceOf(hub))}`
    const all = { ...spoken, authorization }
    expect(await upgrade(hub, '/v1/link', spoken)).toEqual({ status: 401, error: 'bad_token' })
    expect(await upgrade(hub, '/v1/link', { ...all, origin: hub.url })).toEqual({
      status: 403,
      error: 'bad_request',
    })
    expect(await upgrade(hub, '/v1/link', { ...all, 'sec-websocket-protocol': 'chat' })).toEqual({
      status: 400,
      error: 'bad_request',
    })
    expect(await upgrade(hub, '/v1/other', all)).toEqual({ status: 404, error: 'not_found' })
    const wrong = [{ role: 'admin' }, { link: '../x' }, { epoch: 0 }, { purpose: 'api' }]
    for (const claim of wrong) {
      const token = await signer.sign({ ...claims, ...claim }, await nonceOf(hub))
      expect(await upgrade(hub, '/v1/link', { ...spoken, authorization: `Bearer ${token}` })).toEqual({
        status: 401,
        error: 'bad_token',
      })
    }
  })
})
