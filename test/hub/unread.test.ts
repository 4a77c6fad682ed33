import { createServer } from 'node:http'
import { connect, type AddressInfo } from 'node:net'
import { once } from 'node:events'
import { expect, onTestFinished, test } from 'vitest'
import { newKey, Signer } from '../../src/agent/credential.ts'
import { HubApi } from '../../src/hub/api.ts'
import { Authenticator } from '../../src/hub/auth.ts'
import { LinkTable } from '../../src/hub/link-table.ts'
import { Nonces } from '../../src/hub/nonces.ts'
import type { Registry } from '../../src/hub/registry.ts'
import { agentIdOf } from '../../src/tunnel/agent-id.ts'

test('an agent that does not read its lists gets no more of them, and others do', async () => {
  const hubId = 'hub_0123456789abcdef'
  const keys = [await newKey(), await newKey()]
  const agents = new Map(
    keys.map(({ kty, crv, x }) => {
      const [key, id] = [{ kty, crv, x }, agentIdOf({ kty, crv, x })]
      return [id, { id, key, workspace: 'default', label: 'ada', joinedAt: 0, revoked: false }]
    }),
  )
  const [owner, other] = [...agents.keys()]
  const services = Array.from({ length: 100_000 }, (_, n) => ({
    workspace: 'default',
    name: `n${n}`,
    agent: owner!,
    port: 1,
  }))
  const registry = {
    hubId,
    agent: (id: string) => agents.get(id),
    services: () => services,
  } as Partial<Registry>
  const options = { version: '0', log: () => {} }
  const nonces = new Nonces()
  const authenticator = new Authenticator(registry as Registry, nonces)
  const links = new LinkTable(registry as Registry, options)
  const api = new HubApi(registry as Registry, links, nonces, authenticator, options)
  const server = createServer((request, response) => void api.answer(request, response))
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })

  /** Asks for the list, and reads no more than its beginning. */
  const ask = async (agentId: string) => {
    const key = keys.find((one) => agentIdOf(one) === agentId)!
    const token = await new Signer({ agentId, hubId, key }).sign({ purpose: 'api' }, nonces.make())
    const socket = connect((server.address() as AddressInfo).port, '127.0.0.1')
    socket.write(`GET /v1/services HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer ${token}\r\n\r\n`)
    const [head] = (await once(socket, 'data')) as [Buffer]
    socket.pause()
    return { status: Number(head.toString().split(' ')[1]), socket }
  }
  const asked = []
  for (let turn = 0; turn < 5; turn++) asked.push(await ask(owner!))
  expect(asked.map(({ status }) => status)).toEqual([200, 200, 200, 200, 429])
  expect((await ask(other!)).status).toBe(200)
  asked[0]!.socket.destroy()
  await expect.poll(async () => (await ask(owner!)).status, { timeout: 30_000 }).toBe(200)
})
