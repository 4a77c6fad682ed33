import { createServer } from 'node:http'
import path from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { hubInstance } from '../../src/config/hub/hub-instance.ts'
import { instanceFor, type Instance } from '../../src/config/instance.ts'
import { keptAgent } from '../../src/tasks/daemon-context.ts'
import { keptHub } from '../../src/tasks/hub/hub-context.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'

/** Something on the socket of an instance that gives each request the same answer; none without a body. */
async function answering(instance: Instance, code: number, body?: string): Promise<void> {
  const server = createServer((_, response) => {
    response.statusCode = code
    if (body !== undefined) response.end(body)
  })
  await new Promise<void>((resolve) => server.listen(instance.socketPath, resolve))
  onTestFinished(() => {
    server.closeAllConnections()
    server.close()
  })
}

const agent = () => instanceFor(path.join(scratchFolder(), 'staging.json'))
const hub = () => hubInstance({ dataDir: scratchFolder() })

test.for([
  ['says nothing', undefined],
  ['speaks in words of another version', '{"agent":1}'],
] as const)('a start goes on waiting for an agent or a hub that %s', async ([, body]) => {
  const [one, other] = [agent(), hub()]
  await answering(one, 200, body)
  await answering(other, 200, body)
  expect(await keptAgent(one).hear(1)).toBeUndefined()
  expect(await keptHub(other, { given: {} }).hear(1)).toBeUndefined()
})

test('a start does not take the refusal of an agent or a hub for silence', async () => {
  const [one, other] = [agent(), hub()]
  await answering(one, 500, '{"error":{"code":"SYSTEM_FAILED","message":"no more files"}}')
  await answering(other, 507, '{"reason":"its disk is full"}')
  expect(await rejectionOf(keptAgent(one).hear(1))).toMatchObject({ message: 'no more files' })
  expect((await rejectionOf(keptHub(other, { given: {} }).hear(1))).code).toBe('WRITE_FAILED')
})
