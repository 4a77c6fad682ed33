import { once } from 'node:events'
import { readFileSync } from 'node:fs'
import { createServer, type AddressInfo, type Server } from 'node:net'
import { userInfo } from 'node:os'
import { afterEach, expect, test } from 'vitest'
import { portHolder } from '../../src/process/port-holder.ts'

const servers: Server[] = []
afterEach(() => {
  for (const server of servers.splice(0)) server.close()
})

async function listening(host: string): Promise<number> {
  const server = createServer()
  servers.push(server)
  await once(server.listen(0, host), 'listening')
  return (server.address() as AddressInfo).port
}

test.runIf(process.platform === 'linux').for(['127.0.0.1', '::1', '0.0.0.0', '::'])(
  'who listens on a port of %s is found',
  async (host) => {
    const port = await listening(host)
    const command = readFileSync('/proc/self/comm', 'utf8').trim()
    expect(portHolder(port)).toEqual({ pid: process.pid, command, user: userInfo().username })
  },
)

test('nobody is named for a port that nobody listens on', async () => {
  const port = await listening('127.0.0.1')
  servers.pop()!.close()
  expect(portHolder(port)).toBeUndefined()
})
