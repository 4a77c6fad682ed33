import { expect, test } from 'vitest'
import { shutOut } from '../../src/cli/hub/shut-out.ts'
import { Signer } from '../../src/hub-client/credential.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { Store } from '../../src/hub/store/store.ts'
import { hubInProcess, linked, member, type TestHub } from '../fixtures/hub/hub-in-process.ts'

const RACES = 40

/** An agent that says again and again that it offers something else. @returns stops it */
async function indecisive(hub: TestHub, label: string) {
  const config = await member(hub, label)
  const { link, stop } = await linked(config)
  const over = new AbortController()
  let waiting = 0
  const offer = async (name: string) => {
    waiting++
    await link.offer([{ name, port: 80 }])
    waiting--
  }
  const flood = async () => {
    for (let turn = 0; !over.signal.aborted; turn++) {
      if (waiting < 16) void offer(turn % 2 === 0 ? 'even' : 'odd')
      await new Promise((resolve) => setImmediate(resolve))
    }
  }
  const done = flood()
  return {
    config,
    link,
    async stop() {
      over.abort()
      await done
      await stop()
    },
  }
}

async function namesStored(folder: string): Promise<string[]> {
  const store = await Store.open(folder)
  try {
    return store.snapshot().services.map(({ name, agent }) => `${name} ${agent}`)
  } finally {
    store.close()
  }
}

test('an agent that logs out while its link changes its services does no harm', async () => {
  const hub = await hubInProcess()
  let failure: unknown
  hub.hub.failed.catch((error: unknown) => (failure = error))
  for (let race = 0; race < RACES; race++) {
    const agent = await indecisive(hub, `agent-${race}`)
    const signer = new Signer(agent.config)
    // One of the two finds that the hub doesn't know it any more.
    await Promise.allSettled([
      new HubClient({ hub: hub.url }).leave(signer),
      new HubClient({ hub: hub.url }).leave(signer),
    ])
    await agent.stop()
    expect(failure).toBeUndefined()
  }
  expect((await fetch(`${hub.url}/healthz`)).status).toBe(200)
  await hub.close()
  expect(await namesStored(hub.folder)).toEqual([])
}, 120_000)

test('a machine that is revoked while it changes its services keeps no name, now or after a restart', async () => {
  const hub = await hubInProcess()
  const honest = await linked(await member(hub, 'honest'))
  for (let race = 0; race < 10; race++) {
    const agent = await indecisive(hub, `agent-${race}`)
    expect(await shutOut(hub.folder, 'revoke agent', agent.config.agentId)).toEqual({ saved: true })
    // From this very moment.
    expect(
      await honest.link.offer([
        { name: 'even', port: 1 },
        { name: 'odd', port: 2 },
      ]),
    ).toEqual([])
    await agent.stop()
    expect(await namesStored(hub.folder)).toHaveLength(2)
    await honest.link.offer([])
  }
  await hub.close()
  const again = await hubInProcess(hub.folder)
  const bob = await linked(await member(again, 'bob'))
  expect(await bob.link.offer([{ name: 'even', port: 1 }])).toEqual([])
}, 120_000)
