import { describe, expect, onTestFinished, test } from 'vitest'
import { newKey, Signer } from '../../src/hub-client/credential.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { HUB_ID, startHostileHub, type HostileOptions } from '../fixtures/hub/hostile-hub.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { serveTcp } from '../helpers/servers.ts'

async function serving(options: HostileOptions): Promise<string> {
  const hub = await startHostileHub(options)
  onTestFinished(() => hub.close())
  return hub.url
}

test('a hub says who it is', async () => {
  expect(await new HubClient({ hub: await serving({}) }).info()).toMatchObject({ hub: HUB_ID, protocol: 1 })
})

test.for([
  ['at all', ''],
  ['to its end', 'HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{"hub":'],
] as const)('a hub that does not answer %s is not waited for, for ever', async ([, beginning]) => {
  const url = await serving({
    answer: (request) => void (beginning !== '' && request.socket.write(beginning)),
  })
  const error = await rejectionOf(new HubClient({ hub: url }, 200).info())
  expect(error.code).toBe('HUB_UNREACHABLE')
  expect(error.message).toBe(`Could not reach the hub at ${url}: no answer in time`)
})

test('a hub is asked for the one service that is wanted, and for those without a port, too', async () => {
  const asked: (string | undefined)[] = []
  const hub = await serving({
    answer(request, response) {
      asked.push(request.url)
      const nonce = { nonce: 'something-to-be-signed' }
      response.setHeader('x-private-connect-hub', HUB_ID)
      response.end(JSON.stringify(request.url === '/v1/nonce' ? nonce : { services: [] }))
    },
  })
  const signer = new Signer({ agentId: 'agent_0123456789abcdef', hubId: HUB_ID, key: await newKey() })
  expect(await new HubClient({ hub }).service(signer, 'postgres')).toBeUndefined()
  expect(await new HubClient({ hub }).services(signer)).toEqual([])
  expect(asked.filter((url) => url !== '/v1/nonce')).toEqual([
    '/v1/services?portless=true&name=postgres',
    '/v1/services?portless=true',
  ])
})

describe('under a hub’s header it is no hub that answers with', () => {
  test.for([
    ['JSON of another kind', '{"status":"ok"}'],
    ['nothing', ''],
    ['half an answer', '{"hub":"hub_0123456789abcdef","protocol":1'],
    ['an id that would be a path', '{"hub":"../../x","protocol":1,"version":"1","time":1}'],
    ['a time in words', '{"hub":"hub_0123456789abcdef","protocol":1,"version":"1","time":"now"}'],
  ] as const)('%s', async ([, body]) => {
    const url = await serving({
      answer: (_request, response) => void response.setHeader('x-private-connect-hub', HUB_ID).end(body),
    })
    const error = await rejectionOf(new HubClient({ hub: url }).info())
    expect(error.code).toBe('NOT_A_HUB')
    expect(error.message).toBe(`${url} answered with HTTP 200, which is not a Private Connect hub’s answer`)
  })
})

test('an answer without end is not read to its end', async () => {
  const url = await serving({
    answer(_request, response) {
      const chunk = Buffer.alloc(1024 * 1024)
      const more = () => void (response.writable && response.write(chunk, more))
      more()
    },
  })
  expect((await rejectionOf(new HubClient({ hub: url }).info())).message).toMatch(
    /: the answer is too large$/,
  )
})

test('another protocol is no hub', async () => {
  const server = await serveTcp((socket) => socket.end('SSH-2.0-OpenSSH_9.2p1\r\n'))
  onTestFinished(() => server.close())
  const error = await rejectionOf(new HubClient({ hub: `http://127.0.0.1:${server.port}` }).info())
  expect(error.message).toMatch(/^Could not reach the hub at http:\/\/127\.0\.0\.1:\d+: \S/)
})
