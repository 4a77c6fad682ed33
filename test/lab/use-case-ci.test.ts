import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { World } from '../helpers/world.ts'
import { makeLauncher, type Launcher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { redisCli, startRedis, type Redis } from './helpers/redis.ts'
import { run } from './helpers/run.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('a CI agent', { programs: ['bash', 'redis-server', 'redis-cli'] }, () => {
  const own = ownedBySuite()
  let world: World
  let redis: Redis
  let launcher: Launcher

  beforeAll(async () => {
    redis = own(await startRedis(), (it) => it.stop())
    launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
  })

  test('a script without a terminal runs to its end, and the private resource is reached after it', async () => {
    const builder = world.emptyMachine('builder')
    mkdirSync(builder.folder, { recursive: true })
    const script = path.join(builder.folder, 'ci.sh')
    const token = await world.joinToken()
    const lines = [
      `export PRIVATECONNECT_TOKEN=${token}`,
      'connect up; echo "up: $?"',
      'connect daemon install; echo "install: $?"',
      `connect expose localhost:${redis.port} --name build-cache; echo "expose: $?"`,
    ]
    writeFileSync(script, `${lines.join('\n')}\n`)
    const env = {
      ...builder.env,
      PATH: launcher.path,
      CI: 'true',
      CONNECT_HUB_URL: world.hubUrl,
      // So that nothing is installed on the machine that runs this test.
      CONNECT_PLATFORM: 'background',
    }
    const { code, stdout, stderr } = await run('bash', [script], { env, cwd: builder.folder, detached: true })
    expect({ code, steps: stdout.match(/^\w+: \d+$/gm), stderr }).toEqual({
      code: 0,
      steps: ['up: 0', 'install: 1', 'expose: 0'],
      stderr: expect.stringMatching(/^\[x\] No service manager is supported[^]*connect daemon start\n$/),
    })

    const { port } = await world.reach(await world.machine('client'), 'build-cache')
    expect(await redisCli(port, ['PING'])).toBe('PONG')
    const pid = readFileSync(builder.file('daemon.pid'), 'utf8').trim()
    expect(readFileSync(`/proc/${pid}/environ`, 'utf8')).not.toContain(token)
  })
})
