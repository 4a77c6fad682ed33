import { readdirSync, renameSync, symlinkSync } from 'node:fs'
import type { Socket } from 'node:net'
import path from 'node:path'
import { text } from 'node:stream/consumers'
import { expect, onTestFinished, test } from 'vitest'
import { dialTarget } from '../../src/agent/dial-target.ts'
import { realPathIfThere } from '../../src/files/real-path.ts'
import { askedNames } from '../../src/net/name-resolver.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { serveUnix } from '../helpers/servers.ts'

const isLinux = process.platform === 'linux'
/** Descriptors of ours that lead to a file below this folder. */
function openBelow(folder: string): string[] {
  return readdirSync('/proc/self/fd')
    .map((descriptor) => realPathIfThere(`/proc/self/fd/${descriptor}`) ?? '')
    .filter((file) => file.startsWith(folder))
}

async function answering(file: string, answer: string): Promise<void> {
  const server = await serveUnix(file, (socket) => socket.end(answer))
  onTestFinished(() => server.close())
}

/** Dials a socket, while somebody does something once it was checked. */
function dial(file: string, checkSocket: (file: string) => void): Promise<Socket> {
  const guard = { choose: () => [], checkSocket }
  const { promise, resolve, reject } = Promise.withResolvers<Socket>()
  dialTarget({ path: file }, { names: askedNames, timeoutMs: 10_000, guard }, (error, socket) =>
    error ? reject(error) : resolve(socket!),
  )
  return promise
}

test.skipIf(!isLinux)(
  'a socket that was checked is the one that is connected to, wherever its path leads by then',
  async () => {
    const folder = scratchFolder()
    const [service, control, next] = ['web.sock', 'control.sock', 'next'].map((name) =>
      path.join(folder, name),
    )
    await answering(service!, 'the service')
    await answering(control!, 'control')
    symlinkSync(control!, next!)
    const socket = await dial(service!, () => renameSync(next!, service!))
    expect(openBelow(folder)).toEqual([])
    expect(await text(socket)).toBe('the service')
  },
)

test('a socket that is not there, or was refused, costs no descriptor', { skip: !isLinux }, async () => {
  const folder = scratchFolder()
  const file = path.join(folder, 'web.sock')
  await expect(dial(file, () => {})).rejects.toMatchObject({ code: 'ENOENT' })
  await answering(file, '')
  const refusing = () => {
    expect(openBelow(folder)).toEqual([file])
    throw new Error('refused')
  }
  await expect(dial(file, refusing)).rejects.toThrow('refused')
  expect(openBelow(folder)).toEqual([])
})
