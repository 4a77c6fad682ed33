import { describe, expect, test } from 'vitest'
import { ControlMessages } from '../../../src/hub/links/control-messages.ts'
import { TokenBucket } from '../../../src/hub/links/token-bucket.ts'
import { Switch } from '../../../src/hub/switch/switch.ts'
import { Link } from '../../../src/tunnel/link/link.ts'
import { STREAM_CODES } from '../../../src/tunnel/protocol/codes.ts'
import { decode } from '../../../src/tunnel/protocol/decode.ts'
import type { Role } from '../../../src/tunnel/protocol/handshake.ts'
import { MAX_WAITING_LISTS } from '../../../src/tunnel/protocol/limits.ts'
import { RegistryWorld } from '../../fixtures/hub/registry-world.ts'

const HELLO = { type: 'hello', version: '0.0.0', label: 'lovelace' }
const listOf = (seq: number, ...names: string[]) => ({
  type: 'services',
  seq,
  services: names.map((name) => ({ name, port: 80 })),
})

/** The control messages of a link of a machine called ada, over a registry whose disk may be full. */
async function start(role: Role = 'agent') {
  const world = await RegistryWorld.start()
  const ada = world.registry.agent(await world.member('ada'))!
  const answers: unknown[] = []
  const link = new Link({
    isOpen: true,
    unwrittenBytes: 0,
    bytesWritten: 0,
    bytesRead: 0,
    attach() {},
    pause() {},
    resume() {},
    send([frame]) {
      const sent = decode(frame!)
      answers.push(sent.type === 'goaway' ? sent.message : sent.type === 'ctrl' ? sent.message : sent)
    },
    cork() {},
    uncork() {},
    close() {},
    terminate() {},
  })
  const resolver = {
    resolve: () => ({ code: STREAM_CODES.SERVICE_UNKNOWN, message: 'there is none' }),
    servicesOf: () => [],
    mayReach: () => false,
  }
  const all = new Switch(resolver, {})
  const port = all.add(link, ada, { link: 'link', role })
  const failures: unknown[] = []
  const context = { registry: world.registry, switch: all, version: '1.2.3' }
  const control = new ControlMessages(context, ada, port, new TokenBucket(100, 100), (error) =>
    failures.push(error),
  )
  return { world, ada, port, answers, failures, control }
}

describe('a hello', () => {
  test.for(['agent', 'client'] as const)('of either role is welcome: %s', async (role) => {
    const { world, ada, port, answers, control } = await start(role)
    expect(port.isReady).toBe(false)
    control.take(HELLO)
    const hub = world.registry.hubId
    const welcome = { type: 'welcome', hub, version: '1.2.3', portless: true, named: true }
    await expect.poll(() => answers).toEqual([welcome])
    expect(port.isReady).toBe(true)
    expect(world.registry.agent(ada.id)?.label).toBe('lovelace')
  })

  test('ends the link if it is the second', async () => {
    const { answers, control } = await start()
    control.take(HELLO)
    control.take(HELLO)
    await expect.poll(() => answers).toMatchObject([{ type: 'welcome' }, 'a second hello'])
  })
})

describe('a list of services', () => {
  test('is claimed, and answered by its number', async () => {
    const { world, ada, answers, control } = await start()
    control.take(listOf(7, 'web', 'api'))
    await expect.poll(() => answers).toEqual([{ type: 'services', seq: 7, refused: [] }])
    expect(world.names).toEqual({ web: ada.id, api: ada.id })
  })

  test('is told whose a name is, in as much of a label as there is room for', async () => {
    const { world, answers, control } = await start()
    const eve = await world.member(`${'e'.repeat(39)}vil`)
    await world.claim(eve, { web: 80 })
    control.take(listOf(1, 'web'))
    const refused = [{ name: 'web', message: `exposed by ${'e'.repeat(39)}v (${eve})` }]
    await expect.poll(() => answers).toEqual([{ type: 'services', seq: 1, refused }])
  })

  test('is told what can’t be saved, and why', async () => {
    const { world, answers, control } = await start()
    world.database.full()
    control.take(listOf(1, 'web'))
    const refused = [{ name: 'web', error: 'storage', message: 'the hub can’t save it: its disk is full' }]
    await expect.poll(() => answers).toEqual([{ type: 'services', seq: 1, refused }])
  })

  test('of a client ends its link, and gives it no name', async () => {
    const { world, answers, control } = await start('client')
    control.take(listOf(1, 'web'))
    expect(answers).toEqual(['only an agent offers services'])
    expect(world.names).toEqual({})
  })

  test('that is one too many ends the link', async () => {
    const { world, answers, control } = await start()
    const release = world.database.hold()
    for (let seq = 0; seq <= MAX_WAITING_LISTS; seq++) control.take(listOf(seq, `s${seq}`))
    expect(answers).toEqual([])
    control.take(listOf(MAX_WAITING_LISTS + 1, 'web'))
    expect(answers).toEqual(['too many lists of services at once'])
    release()
  })

  test('waits in vain once the link is gone', async () => {
    const { world, ada, answers, control } = await start()
    const release = world.database.hold()
    control.take(listOf(1, 'web'))
    control.take(listOf(2, 'api'))
    control.stop()
    release()
    await expect.poll(() => answers).toEqual([{ type: 'services', seq: 1, refused: [] }])
    expect(world.names).toEqual({ web: ada.id })
  })

  test('that the hub fails over is told to whoever holds the link', async () => {
    const { world, failures, control } = await start()
    const bug = new TypeError('a mistake of the hub')
    world.registry.claim = () => Promise.reject(bug)
    control.take(listOf(1, 'web'))
    await expect.poll(() => failures).toEqual([bug])
  })
})

test.for([
  undefined,
  null,
  'hello',
  { type: 'goodbye' },
  { type: 'hello', version: '0.0.0', label: '' },
  { type: 'services', seq: 0.5, services: [] },
  { type: 'services', seq: 1, services: [{ name: '../etc', port: 80 }] },
  { type: 'services', seq: 1 },
])('what is no control message ends the link: %j', async (message) => {
  const { answers, control } = await start()
  control.take(message)
  expect(answers).toEqual(['a control message that this hub does not understand'])
})
