import { beforeAll, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { redisCli, startRedis } from './helpers/redis.ts'
import { labSuite } from './helpers/suite.ts'

const COMMANDS = 100_000

labSuite('Redis behind a daemon', { programs: ['redis-server', 'redis-cli'] }, () => {
  const own = ownedBySuite()
  let port: number

  beforeAll(async () => {
    const redis = own(await startRedis(), (it) => it.stop())
    const world = own(await World.start(), (it) => it.stop())
    const server = await world.machine('server')
    await connectOk(server, ['daemon', 'start'])
    await connectOk(server, ['expose', `localhost:${redis.port}`, '--name', 'cache'])
    const client = await world.machine('client')
    port = (await world.reach(client, 'cache')).port
  })

  test('redis-cli --pipe sends 100,000 commands, and each is carried out once', async () => {
    const commands = Array.from({ length: COMMANDS }, (_, index) =>
      command('SET', `key:${index}`, `${index}`),
    )
    const counts = Array.from({ length: COMMANDS / 10 }, () => command('INCR', 'counter'))
    const report = await redisCli(port, ['--pipe'], [...commands, ...counts].join(''))
    expect(report).toContain(`errors: 0, replies: ${COMMANDS + COMMANDS / 10}`)
    expect(await redisCli(port, ['DBSIZE'])).toBe(String(COMMANDS + 1))
    expect(await redisCli(port, ['GET', 'counter'])).toBe(String(COMMANDS / 10))
    expect(await redisCli(port, ['GET', `key:${COMMANDS - 1}`])).toBe(String(COMMANDS - 1))
  })
})

/** In the form that the server reads, see https://redis.io/docs/latest/develop/reference/protocol-spec/. */
function command(...words: string[]): string {
  const parts = words.map((word) => `$${Buffer.byteLength(word)}\r\n${word}\r\n`)
  return `*${words.length}\r\n${parts.join('')}`
}
