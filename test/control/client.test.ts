import { chownSync, statSync, writeFileSync } from 'node:fs'
import { request } from 'node:http'
import { createServer, type Socket } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { describe, expect, onTestFinished, test } from 'vitest'
import { instanceFor, userFolder, type Instance } from '../../src/config/instance.ts'
import {
  agentCarries,
  agentOffers,
  agentStatus,
  exposeService,
  keepReach,
  unexposeService,
  takeBackReach,
} from '../../src/control/client.ts'
import type { AgentStatus } from '../../src/control/schema.ts'
import { serveLocally } from '../../src/net/local/serve.ts'
import { writeProcessRecord } from '../../src/control/process-record.ts'
import { startControlServer, type AgentControl } from '../../src/control/server.ts'
import { ERRORS } from '../../src/error-codes.ts'
import { ConnectError } from '../../src/errors.ts'
import { identityFor } from '../fixtures/identity.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

const status: AgentStatus = {
  agent: identityFor(instanceFor('/x/staging.json')),
  agentId: 'agent_0123456789abcdef',
  label: 'ada "the first"',
  hubUrl: 'https://hub.example.com',
  hub: { state: 'retrying', since: '2026-01-01T00:00:00.000Z', reason: 'connection refused' },
  services: [{ name: 'web', host: 'localhost', port: 3000 }],
  streams: 2,
}

const reach = {
  name: 'db',
  port: 5432,
  bind: null,
  agent: 'agent_0123456789abcdef',
  addresses: ['127.0.0.1'],
  code: null,
  reason: null,
  since: '2026-01-01T00:00:00.000Z',
  connections: 2,
  failure: null,
}

const offer = { name: 'db', port: null, agent: 'agent_1', label: 'x', online: true }

/** An agent that has `web`, takes any other name but `taken`, and fails on `broken`. */
const agent: AgentControl = {
  status: () => status,
  offers: async () => ({ offers: [offer] }),
  hopsOf: (port) => (port === 22 ? 3 : undefined),
  async expose(name) {
    if (name === 'taken') throw new ConnectError('NAME_TAKEN', 'taken is exposed by eve')
    if (name === 'broken') throw new Error('a bug')
    return { confirmed: true }
  },
  unexpose: async (name, { drain }) => ({
    removed: name === 'web',
    ended: drain ? 0 : 2,
    connections: drain ? 2 : 0,
  }),
  keep: async (name, { port = 1, bind = null }) => ({
    outcome: 'kept',
    reach: { ...reach, name, port, bind },
    because: null,
  }),
  unreach: async (name, { drain }) => ({
    removed: name === 'web',
    ended: drain ? 0 : 1,
    connections: drain ? 1 : 0,
  }),
}

function emptyInstance(folder = scratchFolder()): Instance {
  return instanceFor(path.join(folder, 'staging.json'))
}

async function served(instance = emptyInstance()): Promise<Instance> {
  const server = await startControlServer(instance, agent)
  onTestFinished(() => server.close())
  return instance
}

const target = { host: 'localhost', port: 80 }

describe('a command asks the agent', () => {
  test('whether it carries a connection, and how far that has come', async () => {
    const instance = await served()
    expect(await agentCarries(instance, 22)).toEqual({ carries: true, hops: 3 })
    expect(await agentCarries(instance, 23)).toEqual({ carries: false })
    expect(await agentCarries(emptyInstance(), 22)).toBeUndefined()
  })

  test('how it is', async () => {
    expect(await agentStatus(await served())).toEqual(status)
  })

  test('what the workspace offers; one that can’t be asked is no error, and a hub that doesn’t say is', async () => {
    const answering = async (code: string) => {
      const instance = emptyInstance()
      const server = await serveLocally(instance.socketPath, (_, response) => {
        response.writeHead(400).end(JSON.stringify({ error: { code, message: 'why' } }))
      })
      onTestFinished(() => server.close())
      return instance
    }
    expect(await agentOffers(await served(), 10_000)).toEqual([offer])
    expect(await agentOffers(emptyInstance(), 10_000)).toBeUndefined()
    expect(await agentOffers(await answering('BAD_VALUE'), 10_000)).toBeUndefined()
    const refused = await rejectionOf(agentOffers(await answering('HUB_UNREACHABLE'), 10_000))
    expect(refused).toMatchObject({ code: 'HUB_UNREACHABLE', message: 'why' })
    const foreign = await rejectionOf(agentOffers(await answering('constructor'), 10_000))
    expect(foreign).toMatchObject({ code: 'HUB_ERROR', hints: [ERRORS.HUB_ERROR.fix] })
  })

  test('to expose a service, and to take it back', async () => {
    const instance = await served()
    expect(await exposeService(instance, 'api', target)).toEqual({ confirmed: true })
    const take = (name: string, drain: boolean) => unexposeService(instance, name, { drain })
    expect(await take('web', true)).toEqual({ removed: true, ended: 0, connections: 2 })
    expect(await take('api', false)).toEqual({ removed: false, ended: 2, connections: 0 })
  })

  test('to keep a reach, and to take it back', async () => {
    const instance = await served()
    const { outcome, reach: kept } = (await keepReach(instance, 'db', { port: 5432, bind: '::1' }))!
    expect([outcome, kept.port, kept.bind]).toEqual(['kept', 5432, '::1'])
    expect((await keepReach(instance, 'db', { own: { port: 1, isTaken: true } }))?.reach.bind).toBeNull()
    expect(await takeBackReach(instance, 'web', { drain: true })).toEqual({
      removed: true,
      ended: 0,
      connections: 1,
    })
    expect(await takeBackReach(instance, 'api', { drain: false })).toEqual({
      removed: false,
      ended: 1,
      connections: 0,
    })
    expect(await takeBackReach(emptyInstance(), 'web', { drain: false })).toBeUndefined()
    expect((await rejectionOf(keepReach(instance, 'Not-A-Name', {}))).code).toBe('BAD_NAME')
  })

  test('and hears that an agent of before keeps no reaches', async () => {
    const instance = emptyInstance()
    const old = await serveLocally(instance.socketPath, ({ method, url }, response) => {
      const error = { code: 'BAD_VALUE', message: `There is no ${method} ${url}` }
      response.writeHead(400).end(JSON.stringify({ error }))
    })
    onTestFinished(() => old.close())
    for (const asked of [keepReach(instance, 'db', {}), takeBackReach(instance, 'db', { drain: false })]) {
      expect(await rejectionOf(asked)).toMatchObject({
        code: 'AGENT_OTHER_VERSION',
        message: 'The agent that runs is of a version that keeps no reaches',
      })
    }
  })

  test('and gets the agent’s own error', async () => {
    const instance = await served()
    const error = await rejectionOf(exposeService(instance, 'taken', target))
    expect(error.code).toBe('NAME_TAKEN')
    expect(error.message).toBe('taken is exposed by eve')
    expect((await rejectionOf(exposeService(instance, 'broken', target))).message).toBe('a bug')
    expect((await rejectionOf(exposeService(instance, 'Not-A-Name', target))).code).toBe('BAD_NAME')
    await rejectionOf(exposeService(instance, 'api', { ...target, port: 0 }))
    expect(await agentStatus(instance)).toEqual(status)
  })

  test('and hears that there is none', async () => {
    expect(await agentStatus(emptyInstance())).toBeUndefined()
  })

  test('and hears that there is none any more, though its socket is there', async () => {
    const instance = emptyInstance()
    writeFileSync(instance.socketPath, '')
    expect(await agentStatus(instance)).toBeUndefined()
    expect(await agentStatus(await served(instance))).toEqual(status)
  })
})

test.skipIf(process.platform === 'win32')('the socket is for us alone', async () => {
  const umask = process.umask(0)
  const instance = await served().finally(() => process.umask(umask))
  expect(statSync(instance.socketPath).mode & 0o777).toBe(0o600)
})

test('a path too long for a socket is no hindrance', async () => {
  const instance = emptyInstance(path.join(scratchFolder(), 'x'.repeat(120)))
  expect(path.dirname(instance.socketPath)).toBe(userFolder())
  expect(await agentStatus(await served(instance))).toEqual(status)
  expect(statSync(userFolder()).mode & 0o777).toBe(0o700)
})

test('another user’s socket of that name is not asked', async (context) => {
  if (process.getuid?.() !== 0) context.skip('only root can make a file of another user')
  const instance = await served()
  chownSync(instance.socketPath, 65_534, 65_534)
  expect(await agentStatus(instance)).toBeUndefined()
})

describe('the agent refuses', () => {
  const ask = async (method: string, url: string, body = '') => {
    const { socketPath } = await served()
    const { promise, resolve, reject } = Promise.withResolvers<{ status: number; body: string }>()
    const asked = request({ socketPath, method, path: url }, (response) => {
      void text(response).then((answer) => resolve({ status: response.statusCode!, body: answer }))
    })
    asked.once('error', reject)
    asked.end(body)
    return promise
  }
  test.for([
    ['an unknown path', 'GET', '/v2/status', ''],
    ['an unknown method', 'POST', '/v1/status', ''],
    ['a path with something after it', 'GET', '/v1/status/more', ''],
    ['a service without a name', 'PUT', '/v1/services', ''],
    ['a name that is none', 'DELETE', '/v1/services/..%2f', ''],
    ['a body that is not JSON', 'PUT', '/v1/services/api', 'port=80'],
    ['a body without a port', 'PUT', '/v1/services/api', '{"host":"localhost"}'],
    ['a body with more than it should have', 'PUT', '/v1/services/api', '{"host":"a","port":1,"x":1}'],
    ['a port that is none', 'PUT', '/v1/reaches/db', '{"port":65536}'],
    ['an address that has to be looked up', 'PUT', '/v1/reaches/db', '{"bind":"localhost"}'],
    ['a body of 20 kB', 'PUT', '/v1/services/api', `"${'a'.repeat(20_000)}"`],
  ] as const)('%s', async ([, method, url, body]) => {
    const answer = await ask(method, url, body)
    expect(answer.status).toBe(400)
    expect(JSON.parse(answer.body)).toEqual({
      error: { code: expect.any(String), message: expect.any(String) },
    })
  })
})

describe('something that listens but is no agent of ours is an error, never "no agent":', () => {
  const pretend = async (onConnection: (socket: Socket) => void) => {
    const instance = emptyInstance()
    const sockets = new Set<Socket>()
    const server = createServer((socket) => {
      sockets.add(socket.on('error', () => {}))
      onConnection(socket)
    })
    await new Promise<void>((resolve) => server.listen(instance.socketPath, resolve))
    onTestFinished(() => {
      for (const socket of sockets) socket.destroy()
      server.close()
    })
    return instance
  }
  test('an agent of before, which knows no Unix sockets', async () => {
    const body = '{"error":{"code":"HUB_ERROR","message":"Invalid key: Expected \\"host\\""}}'
    const instance = await pretend((socket) => socket.end(`HTTP/1.1 400 Bad Request\r\n\r\n${body}`))
    const error = await rejectionOf(exposeService(instance, 'api', { path: '/run/x.sock' }))
    expect(error).toMatchObject({
      code: 'AGENT_OTHER_VERSION',
      message: 'The agent that runs is of a version that knows no Unix sockets',
      hints: ['Run: connect daemon restart'],
    })
    expect((await rejectionOf(exposeService(instance, 'api', target))).code).toBe('HUB_ERROR')
  })

  test.for([
    ['it never answers', undefined, 'AGENT_BUSY'],
    ['it hangs up', '', 'AGENT_BUSY'],
    ['it speaks another protocol', 'SSH-2.0-OpenSSH_9.2\r\n', 'AGENT_BUSY'],
    ['it is cut short', 'HTTP/1.1 200 OK\r\n\r\n{"pid":', 'AGENT_OTHER_VERSION'],
    ['it says something else', 'HTTP/1.1 200 OK\r\n\r\n{"pid":"x"}', 'AGENT_OTHER_VERSION'],
    ['it fails without a reason', 'HTTP/1.1 500 Oh\r\n\r\n{"a":1}', 'AGENT_OTHER_VERSION'],
  ] as const)('%s', async ([, answer, code]) => {
    const onConnection = (socket: Socket) => void (answer !== undefined && socket.end(answer))
    const error = await rejectionOf(agentStatus(await pretend(onConnection), 300))
    expect(error.code).toBe(code)
    expect(error.hints).toEqual(['Run: connect daemon restart'])
  })

  test('one in a terminal is not to be restarted as the daemon', async () => {
    const instance = await pretend(() => {})
    writeProcessRecord(instance, identityFor(instance, { mode: 'foreground' }))
    expect((await rejectionOf(agentStatus(instance, 50))).hints).toEqual([
      `End it with Ctrl-C where it runs (PID: ${process.pid}), and start it there again.`,
    ])
  })
})
