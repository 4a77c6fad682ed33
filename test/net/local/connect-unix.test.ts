import { once } from 'node:events'
import { connect, type Socket } from 'node:net'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { codeOf } from '../../../src/errors.ts'
import { connectUnix } from '../../../src/net/local/connect-unix.ts'
import { describeNetworkError } from '../../../src/net/network-error.ts'
import { runProgram } from '../../fixtures/run-fixture.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import type { RunningCli } from '../../helpers/cli.ts'

/** Listens, with room for few, and takes nobody until it is told to go on. */
async function stoppedListener(): Promise<{ file: string; listener: RunningCli }> {
  const file = path.join(scratchFolder(), 'full.sock')
  const program = `require('net').createServer().listen({ path: process.argv[1], backlog: 1 }, () => console.log('listens'))`
  const listener = runProgram([process.execPath, '-e', program, file])
  onTestFinished(() => listener.stop('SIGKILL'))
  await listener.printed(/listens/)
  listener.kill('SIGSTOP')
  for (;;) {
    const socket = connect(file)
    onTestFinished(() => void socket.destroy())
    const [event] = await Promise.race([
      once(socket, 'connect').then(() => [undefined]),
      once(socket, 'error') as Promise<[Error]>,
    ]).catch((error: unknown) => [error])
    if (codeOf(event) === 'EAGAIN') return { file, listener }
    expect(event).toBeUndefined()
  }
}

function connected(file: string, timeoutMs: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    connectUnix(file, { timeoutMs }, (error, socket) => {
      if (error) return reject(error)
      onTestFinished(() => void socket!.destroy())
      resolve(socket!)
    })
  })
}

test.skipIf(process.platform !== 'linux')('a listener whose queue is full is waited for', async () => {
  const { file, listener } = await stoppedListener()
  const late = await connected(file, 50).catch((error: unknown) => error)
  expect(describeNetworkError(late)).toBe('no answer in time')
  let isOver = false
  const cancel = connectUnix(file, { timeoutMs: 30_000 }, () => (isOver = true))
  expect([cancel(), cancel()]).toEqual([true, false])
  const waiting = connected(file, 30_000)
  listener.kill('SIGCONT')
  expect((await waiting).readyState).toBe('open')
  expect(isOver).toBe(false)
})

test('who can’t be connected to is said in words', async () => {
  const file = path.join(scratchFolder(), 'x.sock')
  const why = async (at: string) =>
    describeNetworkError(await connected(at, 1000).catch((error: unknown) => error))
  expect(await why(file)).toBe('there is no such file')
  expect(await why(import.meta.filename)).toBe('it is no socket')
  expect(await why(path.dirname(file))).toBe('it is no socket')
  expect(await why(path.join(import.meta.filename, 'x'))).toBe('there is no such file')
})
