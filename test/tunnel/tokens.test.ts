import { SignJWT, UnsecuredJWT, importJWK } from 'jose'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { newKey } from '../../src/hub-client/credential.ts'
import { GOAWAY_CODES } from '../../src/tunnel/protocol/codes.ts'
import { linkId, RealHub, type DialOptions, type Joined } from './helpers/real-hub.ts'

let hub: RealHub
let agent: Joined

beforeAll(async () => {
  hub = await RealHub.start()
  agent = await hub.join()
})

afterAll(() => hub.stop())

interface TokenOptions {
  readonly key?: Joined['key']
  readonly issuer?: string
  readonly audience?: string
  readonly claims?: Record<string, unknown>
}

/** What a link's token says, unless the test wants something else of it. */
async function claimsOf(options: TokenOptions = {}): Promise<Record<string, unknown>> {
  return {
    iss: options.issuer ?? agent.agentId,
    aud: options.audience ?? hub.id,
    nonce: await hub.nonce(),
    purpose: 'link',
    link: linkId(),
    epoch: 1,
    role: 'agent',
    ...options.claims,
  }
}

async function tokenOf(options: TokenOptions = {}): Promise<string> {
  return new SignJWT(await claimsOf(options))
    .setProtectedHeader({ alg: 'EdDSA' })
    .sign(await importJWK(options.key ?? agent.key, 'EdDSA'))
}

test('a token as the document describes it opens a link', async () => {
  expect(await hub.dial(await tokenOf())).toMatchObject({ status: 101 })
})

test.each<[string, TokenOptions, string]>([
  ['for another hub', { audience: 'hub_0123456789abcdef' }, 'unknown_agent'],
  ['of an agent that the hub does not know', { issuer: 'agent_0123456789abcdef' }, 'unknown_agent'],
  ['without a nonce', { claims: { nonce: undefined } }, 'bad_token'],
  ['with a nonce that is no text', { claims: { nonce: 1 } }, 'bad_token'],
  ['with a nonce that the hub has not made', { claims: { nonce: 'A'.repeat(51) } }, 'nonce'],
  ['for the HTTP API', { claims: { purpose: 'api' } }, 'bad_token'],
  ['for joining', { claims: { purpose: 'join' } }, 'bad_token'],
  ['with a link id of another form', { claims: { link: 'my-link' } }, 'bad_token'],
  ['without a link id', { claims: { link: undefined } }, 'bad_token'],
  ['with epoch 0', { claims: { epoch: 0 } }, 'bad_token'],
  ['with half an epoch', { claims: { epoch: 1.5 } }, 'bad_token'],
  ['with an epoch beyond 2^53', { claims: { epoch: 2 ** 53 } }, 'bad_token'],
  ['with an unknown role', { claims: { role: 'hub' } }, 'bad_token'],
])('a token %s is refused, and no WebSocket opened', async (_name, options, error) => {
  expect(await hub.dial(await tokenOf(options))).toMatchObject({ status: 401, error })
})

test.each<[string, Record<string, unknown>]>([
  ['expired years ago', { iat: 1, exp: 2 }],
  ['is from the future', { iat: 2 ** 40, nbf: 2 ** 40 }],
])('whoever signs has no say in the time: a token is accepted that %s', async (_name, claims) => {
  expect(await hub.dial(await tokenOf({ claims }))).toMatchObject({ status: 101 })
})

test('a token is good once, and whoever sees it can’t use it again', async () => {
  const token = await tokenOf()
  expect(await hub.dial(token)).toMatchObject({ status: 101 })
  expect(await hub.dial(token)).toMatchObject({ status: 401, error: 'nonce' })
})

test('of many at once that use one token, one gets in', async () => {
  const token = await tokenOf({ claims: { role: 'client' } })
  const dialled = await Promise.all(Array.from({ length: 20 }, () => hub.dial(token)))
  expect(dialled.filter(({ status }) => status === 101)).toHaveLength(1)
})

test('what is signed for one thing is used up for all', async () => {
  const nonce = await hub.nonce()
  const token = await agent.signer.sign({ purpose: 'api' }, nonce)
  expect(await hub.call('GET', '/v1/services', token)).toMatchObject({ status: 200 })
  expect(await hub.dial(await tokenOf({ claims: { nonce } }))).toMatchObject({ status: 401, error: 'nonce' })
})

test('a nonce that is not good is answered with one that is', async () => {
  const refused = await hub.dial(await tokenOf({ claims: { nonce: 'A'.repeat(51) } }))
  const nonce = 'nonce' in refused ? refused.nonce : undefined
  expect(await hub.dial(await tokenOf({ claims: { nonce } }))).toMatchObject({ status: 101 })
})

test('a token with a bad signature does not use up what it names', async () => {
  const nonce = await hub.nonce()
  const forged = await tokenOf({ key: await newKey(), claims: { nonce } })
  expect(await hub.dial(forged)).toMatchObject({ status: 401, error: 'bad_token' })
  expect(await hub.dial(await tokenOf({ claims: { nonce } }))).toMatchObject({ status: 101 })
})

test('a token that nobody signed is refused', async () => {
  expect(await hub.dial(new UnsecuredJWT(await claimsOf()).encode())).toMatchObject({
    status: 401,
    error: 'bad_token',
  })
})

test('a token signed with the public key as a shared secret is refused', async () => {
  for (const secret of [Buffer.from(agent.key.x, 'base64url'), Buffer.from(agent.key.x)]) {
    const token = await new SignJWT(await claimsOf()).setProtectedHeader({ alg: 'HS256' }).sign(secret)
    expect(await hub.dial(token)).toMatchObject({ status: 401, error: 'bad_token' })
  }
})

test('a token signed with another key is refused, be the agent valid or revoked', async () => {
  const key = await newKey()
  expect(await hub.dial(await tokenOf({ key }))).toMatchObject({ status: 401, error: 'bad_token' })
  const other = await hub.join()
  const peer = await hub.link(other)
  await hub.revoke(other)
  await peer.next('goaway')
  const forged = await tokenOf({ key, issuer: other.agentId })
  expect(await hub.dial(forged)).toMatchObject({ status: 401, error: 'bad_token' })
})

test.each([
  ['no token', ''],
  ['something that is no token', 'tok_0123456789abcdef'],
  ['three empty parts', '..'],
  ['a very long token', 'x'.repeat(5000)],
])('%s is refused', async (_name, token) => {
  expect(await hub.dial(token)).toMatchObject({ status: 401, error: 'bad_token' })
})

test('a revoked agent’s links are closed, and it hears why when it comes back', async () => {
  const other = await hub.join()
  const [peer, client] = [await hub.link(other), await hub.link(other, { role: 'client' })]
  const bystander = await hub.link(agent)
  await hub.revoke(other)
  for (const link of [peer, client]) {
    expect(await link.next('goaway')).toMatchObject({ code: GOAWAY_CODES.REVOKED })
    await link.closed
  }
  const token = await tokenOf({ key: other.key, issuer: other.agentId })
  expect(await hub.dial(token)).toMatchObject({ status: 401, error: 'revoked' })
  await bystander.settled()
})

test.each<[string, DialOptions, number, string]>([
  ['with an Origin, as browsers send it', { headers: { origin: 'https://example.com' } }, 403, 'bad_request'],
  ['with an Origin of null', { headers: { origin: 'null' } }, 403, 'bad_request'],
  ['from the hub’s own address', { headers: { origin: 'http://127.0.0.1' } }, 403, 'bad_request'],
  ['without the subprotocol', { protocols: [] }, 400, 'bad_request'],
  ['with a later subprotocol only', { protocols: ['private-connect.v2'] }, 400, 'bad_request'],
  ['at another path', { path: '/v1/links' }, 404, 'not_found'],
])('a link %s is refused though its token is good', async (_name, options, status, error) => {
  expect(await hub.dial(await tokenOf(), options)).toMatchObject({ status, error })
})

test('a client that speaks a later version too gets this one', async () => {
  expect(
    await hub.dial(await tokenOf(), { protocols: ['private-connect.v2', 'private-connect.v1'] }),
  ).toMatchObject({ status: 101 })
})

test('the HTTP API takes tokens for it, and none for a link', async () => {
  const token = await agent.signer.sign({ purpose: 'api' }, await hub.nonce())
  expect(await hub.call('GET', '/v1/services', token)).toMatchObject({ status: 200, body: { services: [] } })
  for (const path of ['/v1/services', '/v1/agent']) {
    expect(await hub.call(path === '/v1/agent' ? 'DELETE' : 'GET', path, await tokenOf())).toMatchObject({
      status: 401,
      body: { error: 'bad_token' },
    })
  }
})

test('an agent that has left is not known any more, and its links are told', async () => {
  const other = await hub.join()
  const peer = await hub.link(other)
  const sign = async () => other.signer.sign({ purpose: 'api' }, await hub.nonce())
  expect(await hub.call('DELETE', '/v1/agent', await sign())).toEqual({
    status: 200,
    body: { removed: other.agentId },
  })
  expect(await peer.next('goaway')).toMatchObject({ code: GOAWAY_CODES.LOGGED_OUT })
  expect(await hub.call('DELETE', '/v1/agent', await sign())).toMatchObject({
    status: 401,
    body: { error: 'unknown_agent' },
  })
})
