import { once } from 'node:events'
import { existsSync, statSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { listenUnix } from '../../src/net/local/listen-unix.ts'
import { openLocalSocket } from '../../src/reach/local-socket.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

test('a socket is for this user alone from the first moment on, whatever the umask is', async () => {
  const umask = process.umask(0)
  onTestFinished(() => void process.umask(umask))
  const file = path.join(scratchFolder(), 'x.sock')
  const server = createServer()
  onTestFinished(() => void server.close())
  const listening = listenUnix(server, file)
  expect([statSync(file).mode & 0o777, process.umask()]).toEqual([0o600, 0])
  await listening
})

test('who is connected stays so when a socket is closed, and its file is gone', async () => {
  const file = path.join(scratchFolder(), 'x.sock')
  const { promise, resolve } = Promise.withResolvers<Socket>()
  const local = await openLocalSocket(file, resolve)
  const client = connect(file)
  await once(client, 'connect')
  local.close()
  expect(existsSync(file)).toBe(false)
  const served = await promise
  served.end('bye')
  const [word] = (await once(client, 'data')) as [Buffer]
  expect(String(word)).toBe('bye')
})
