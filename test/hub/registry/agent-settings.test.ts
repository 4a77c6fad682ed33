import { randomBytes } from 'node:crypto'
import { describe, expect, onTestFinished, test } from 'vitest'
import { AgentSettings } from '../../../src/hub/registry/agent-settings.ts'
import { ServiceNames } from '../../../src/hub/registry/service-names.ts'
import { LANES, SaveQueue } from '../../../src/hub/store/save-queue.ts'
import { agentIdOf } from '../../../src/tunnel/protocol/agent-id.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { TroubledStore } from '../../fixtures/hub/troubled-store.ts'

/** Two agents that have joined, and what is saved of them. */
async function start() {
  const database = await TroubledStore.open(scratchFolder())
  onTestFinished(() => database.close())
  const { token } = database.store.createToken({ ttlMs: 60_000, uses: 2 })
  const [ada, eve] = ['ada', 'eve'].map((label) => {
    const key = { kty: 'OKP', crv: 'Ed25519', x: randomBytes(32).toString('base64url') } as const
    return database.store.join({ token, agent: agentIdOf(key), key, label })!.id
  }) as [string, string]
  const labels = new Map([
    [ada, 'ada'],
    [eve, 'eve'],
  ])
  const names = new ServiceNames([])
  const log: string[] = []
  const queue = new SaveQueue({ damaged: () => {}, log: (line) => log.push(line) })
  onTestFinished(() => queue.close())
  const told = { names, label: (agent: string) => labels.get(agent) }
  const claimed = (agent: string, name: string, port = 80) => ({ workspace: 'default', name, agent, port })
  return {
    ada,
    eve,
    database,
    labels,
    names,
    log,
    queue,
    claimed,
    settings: new AgentSettings(queue, database, told, []),
    restarted: () => new AgentSettings(queue, database, told, database.store.snapshot().services),
    claim: (agent: string, ...list: string[]) =>
      names.set(
        agent,
        list.map((name) => claimed(agent, name)),
      ),
    stored: () => {
      const { agents, services } = database.store.snapshot()
      return {
        labels: agents.map(({ label }) => label),
        names: services.map(({ name, port, agent }) => `${name}:${port} of ${labels.get(agent)}`),
      }
    },
  }
}

describe('what an agent has told', () => {
  test('is saved, its label and its names', async () => {
    const { ada, eve, labels, settings, claim, claimed, stored } = await start()
    labels.set(ada, 'lovelace')
    claim(ada, 'web', 'api')
    expect(settings.saved(ada)).toEqual([])
    const saved = settings.save(ada)
    expect(settings.isUnsaved(ada)).toBe(true)
    expect(settings.isUnsaved(eve)).toBe(false)
    expect(await saved).toBeUndefined()
    expect(settings.isUnsaved(ada)).toBe(false)
    expect(settings.saved(ada)).toEqual([claimed(ada, 'web'), claimed(ada, 'api')])
    expect(settings.saved(eve)).toEqual([])
    expect(stored()).toEqual({
      labels: ['lovelace', 'eve'],
      names: ['web:80 of lovelace', 'api:80 of lovelace'],
    })
  })

  test('is known to be saved after a restart', async () => {
    const { ada, eve, settings, restarted, claim, claimed } = await start()
    claim(ada, 'web', 'api')
    claim(eve, 'ssh')
    await Promise.all([settings.save(ada), settings.save(eve)])
    const again = restarted()
    expect(again.saved(ada)).toEqual([claimed(ada, 'web'), claimed(ada, 'api')])
    expect(again.saved(eve)).toEqual([claimed(eve, 'ssh')])
    expect(again.isUnsaved(ada)).toBe(false)
  })

  test('is written once, if it says no more meanwhile', async () => {
    const { ada, database, settings, claim } = await start()
    claim(ada, 'web')
    expect(await Promise.all([settings.save(ada), settings.save(ada)])).toEqual([undefined, undefined])
    expect(database.asked).toEqual(['setAgent'])
  })

  test.for([
    ['names', 'web:81 of ada', 'ada'],
    ['label', 'web:80 of lovelace', 'lovelace'],
  ] as const)('is written again if it tells other %s meanwhile', async ([what, name, label]) => {
    const { ada, database, settings, names, labels, claim, claimed, stored } = await start()
    claim(ada, 'web')
    const release = database.hold()
    const first = settings.save(ada)
    if (what === 'names') names.set(ada, [claimed(ada, 'web', 81)])
    else labels.set(ada, 'lovelace')
    const second = settings.save(ada)
    const third = settings.save(ada)
    release()
    expect(await first).toBeUndefined()
    expect(settings.isUnsaved(ada)).toBe(true)
    expect(await Promise.all([second, third])).toEqual([undefined, undefined])
    expect(settings.isUnsaved(ada)).toBe(false)
    expect(database.asked).toEqual(['setAgent', 'setAgent'])
    expect(stored()).toEqual({ labels: [label, 'eve'], names: [name] })
  })

  test('is answered by the attempt that began after it', async () => {
    const { ada, database, settings, claim } = await start()
    claim(ada, 'web')
    const release = database.hold()
    const first = settings.save(ada)
    claim(ada, 'api')
    const second = settings.save(ada)
    release()
    expect(await first).toBeUndefined()
    database.full()
    expect(await second).toMatchObject({ kind: 'storage', message: 'its disk is full' })
  })

  test('goes behind all else that is to be saved', async () => {
    const { ada, eve, database, queue, settings } = await start()
    const release = database.hold()
    const done: string[] = []
    const write = (lane: keyof typeof LANES) => ({
      lane: LANES[lane],
      run: () => Promise.resolve(void done.push(lane)),
      failed: () => false,
    })
    const first = settings.save(ada)
    const second = settings.save(eve).then(() => done.push('settings'))
    queue.add(write('membership'))
    queue.add(write('revocation'))
    release()
    await Promise.all([first, second])
    expect(done).toEqual(['revocation', 'membership', 'settings'])
  })
})

describe('what could not be saved', () => {
  test('is not so, if it is new; what was taken back stays so, and is saved once there is room', async () => {
    const { ada, database, queue, settings, names, claim, claimed, stored, log } = await start()
    claim(ada, 'web', 'api', 'ssh')
    await settings.save(ada)
    database.full()
    names.set(ada, [claimed(ada, 'new'), claimed(ada, 'web', 81), claimed(ada, 'ssh')])
    const error = await settings.save(ada)
    expect(error).toMatchObject({ kind: 'storage', message: 'its disk is full' })
    expect(names.of(ada)).toEqual([claimed(ada, 'web'), claimed(ada, 'ssh')])
    expect(settings.isUnsaved(ada)).toBe(true)
    expect(settings.saved(ada)).toHaveLength(3)
    database.trouble = undefined
    expect(await settings.save(ada)).toBeUndefined()
    expect(stored().names).toEqual(['web:80 of ada', 'ssh:80 of ada'])
    expect(settings.isUnsaved(ada)).toBe(false)
    await queue.close()
    expect(log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
  })

  test('is tried again once anything else can be saved', async () => {
    const { ada, eve, database, settings, labels, stored } = await start()
    labels.set(ada, 'lovelace')
    database.full()
    await settings.save(ada)
    database.trouble = undefined
    await settings.save(eve)
    await expect.poll(() => settings.isUnsaved(ada)).toBe(false)
    expect(stored().labels).toEqual(['lovelace', 'eve'])
  })

  test('of one that is no member any more is not tried again, and neither is anything of it', async () => {
    const { ada, database, queue, log, settings, labels, claim, names, claimed } = await start()
    claim(ada, 'web')
    database.full()
    const saved = settings.save(ada)
    labels.delete(ada)
    await saved
    // Whoever is no member has lost its names elsewhere.
    expect(names.of(ada)).toEqual([claimed(ada, 'web')])
    database.trouble = undefined
    database.asked.length = 0
    await queue.close()
    expect(database.asked).toEqual([])
    // Not even to find that there is nothing to be saved.
    expect(log).toEqual(['[!] The hub can’t save what changes, and tries again: its disk is full'])
  })
})

describe('one that another process has shut out', () => {
  test('has nothing saved', async () => {
    const { ada, database, settings, claim } = await start()
    database.store.revokeAgent(ada)
    claim(ada, 'web')
    expect(await settings.save(ada)).toBeUndefined()
    expect(settings.saved(ada)).toEqual([])
    expect(settings.isUnsaved(ada)).toBe(false)
  })
})

describe('who is no member any more', () => {
  test('is forgotten, with what is saved of it', async () => {
    const { ada, settings, claim } = await start()
    claim(ada, 'web')
    await settings.save(ada)
    settings.forget(ada)
    expect(settings.saved(ada)).toEqual([])
  })

  test('has nothing written, whatever it still tells', async () => {
    const { ada, database, settings, labels, claim } = await start()
    claim(ada, 'web')
    labels.delete(ada)
    const saved = settings.save(ada)
    expect(database.asked).toEqual([])
    expect(await saved).toBeUndefined()
  })

  test('waits no longer, and nothing of it is written', async () => {
    const { ada, eve, database, settings, claim, stored } = await start()
    const release = database.hold()
    const other = settings.save(eve)
    claim(ada, 'web')
    const saved = settings.save(ada)
    settings.forget(ada)
    expect(settings.isUnsaved(ada)).toBe(false)
    expect(await saved).toBeUndefined()
    release()
    await other
    await new Promise((resolve) => setImmediate(resolve))
    expect(database.asked).toEqual(['setAgent'])
    expect(stored().names).toEqual([])
  })

  test('is not known again by what was under way', async () => {
    const { ada, database, settings, claim } = await start()
    claim(ada, 'web')
    const release = database.hold()
    const saved = settings.save(ada)
    settings.forget(ada)
    release()
    expect(await saved).toBeUndefined()
    expect(settings.saved(ada)).toEqual([])
  })

  test('leaves nothing that is tried again', async () => {
    const { ada, database, settings, labels, log } = await start()
    labels.set(ada, 'lovelace')
    database.full()
    await settings.save(ada)
    await new Promise((resolve) => setImmediate(resolve))
    settings.forget(ada)
    expect(log.at(-1)).toBe('[ok] The hub saves what changes again, and all is saved')
  })
})
