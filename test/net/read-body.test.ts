import { once } from 'node:events'
import { createServer, request, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { expect, onTestFinished, test } from 'vitest'
import { readBody } from '../../src/net/read-body.ts'

/** What a server answers. */
async function answered(answer: (response: ServerResponse) => unknown): Promise<IncomingMessage> {
  const server = createServer((_, response) => answer(response))
  onTestFinished(() => void server.close())
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const { port } = server.address() as AddressInfo
  const [message] = await once(request({ host: '127.0.0.1', port }).end(), 'response')
  return message as IncomingMessage
}

function body(...chunks: readonly Buffer[]): Promise<IncomingMessage> {
  return answered(async (response) => {
    for (const chunk of chunks) await new Promise((written) => response.write(chunk, written))
    response.end()
  })
}

test('a body is read to its end, a character that two chunks share included', async () => {
  const bytes = Buffer.from('Zürich →')
  expect(await readBody(await body(bytes.subarray(0, 2), bytes.subarray(2)), 100)).toBe('Zürich →')
  expect(await readBody(await body(), 100)).toBe('')
})

test('one of as many bytes as it may have is read, of a longer one nothing', async () => {
  // Bytes count, not characters.
  expect(await readBody(await body(Buffer.from('éé')), 4)).toBe('éé')
  expect(await readBody(await body(Buffer.from('ééx')), 4)).toBeUndefined()
})

test('one without end is given up at the limit, and its connection is closed', async () => {
  const closed = Promise.withResolvers<void>()
  const endless = await answered((response) => {
    response.once('close', closed.resolve)
    const goOn = () => void (response.writable && response.write('x'.repeat(1024), goOn))
    goOn()
  })
  expect(await readBody(endless, 10_000)).toBeUndefined()
  await closed.promise
})

test('one that is cut short is an error, not a short body', async () => {
  const short = await answered((response) => {
    response.setHeader('content-length', 10)
    response.write('half', () => response.destroy())
  })
  await expect(readBody(short, 100)).rejects.toThrow('aborted')
})
