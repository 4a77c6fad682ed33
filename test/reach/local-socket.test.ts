import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { connect, Server, type Socket } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { openLocalSocket } from '../../src/reach/local-socket.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('a socket is for this user alone from the first moment on, whatever the umask is', async () => {
  const file = path.join(scratchFolder(), 'x.sock')
  let first: number | undefined
  const { listen } = Server.prototype
  const watched = vi.spyOn(Server.prototype, 'listen').mockImplementation(function (this: Server, ...args) {
    const server = Reflect.apply(listen, this, args) as Server
    first = statSync(file).mode & 0o777
    return server
  })
  onTestFinished(() => watched.mockRestore())
  const umask = process.umask(0)
  onTestFinished(() => void process.umask(umask))
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const local = await openLocalSocket(file, resolve)
  expect([first, statSync(file).mode & 0o777, process.umask()]).toEqual([0o600, 0o600, 0])
  const client = connect(file)
  await once(client, 'connect')
  local.close()
  expect(existsSync(file)).toBe(false)
  // Who is connected stays so.
  const served = await promise
  served.end('bye')
  const [word] = (await once(client, 'data')) as [Buffer]
  expect(String(word)).toBe('bye')
})
