import { describe, expect, test } from 'vitest'
import { MAX_SERVICES } from '../../../src/config/services.ts'
import { Signer } from '../../../src/hub-client/credential.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { startHub } from '../../../src/hub/server.ts'
import { hubInProcess, linked, member } from '../../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { freePort } from '../../helpers/free-port.ts'

const web = { name: 'web', port: 80 }
const api = { name: 'api', port: 81 }

describe('a name', () => {
  test('belongs to whoever claims it first, and the other hears whose it is', async () => {
    const hub = await hubInProcess()
    const [ada, eve] = [await member(hub, 'ada'), await member(hub, 'eve')]
    const [first, second] = [await linked(ada), await linked(eve)]
    expect(await first.link.offer([web])).toEqual([])
    expect(await second.link.offer([web, api])).toEqual([
      { name: 'web', message: expect.stringMatching(new RegExp(`exposed by ada \\(${ada.agentId}\\)`)) },
    ])
    // Its other names are not held against it.
    expect(await new HubClient({ hub: hub.url }).services(new Signer(ada))).toMatchObject([
      { name: 'api', label: 'eve', online: true },
      { name: 'web', label: 'ada', online: true },
    ])
  })

  test('is refused in words that no label can turn into escape codes', async () => {
    const hub = await hubInProcess()
    const first = await linked(await member(hub, 'a\u001b[2Jb\nc'))
    const second = await linked(await member(hub, 'eve'))
    await first.link.offer([web])
    const [refused] = (await second.link.offer([web])) ?? []
    expect(refused?.message).toContain('[2Jb')
    expect(refused?.message).not.toMatch(/\p{Cc}/u)
  })

  test('stays with a machine that is away, and that is told', async () => {
    const hub = await hubInProcess()
    const [ada, eve] = [await member(hub, 'ada'), await member(hub, 'eve')]
    const { link, stop } = await linked(ada)
    await link.offer([web])
    await stop()
    const services = () => new HubClient({ hub: hub.url }).services(new Signer(eve))
    await expect
      .poll(services, { timeout: 30_000 })
      .toMatchObject([{ name: 'web', label: 'ada', online: false }])
    const second = await linked(eve)
    expect(await second.link.offer([web])).toHaveLength(1)
  })

  test('is free once its owner takes it back', async () => {
    const hub = await hubInProcess()
    const [first, second] = [await linked(await member(hub, 'ada')), await linked(await member(hub, 'eve'))]
    await first.link.offer([web, api])
    expect(await second.link.offer([web])).toHaveLength(1)
    expect(await first.link.offer([api])).toEqual([])
    expect(await second.link.offer([web])).toEqual([])
  })

  test('is free once its owner has logged out', async () => {
    const hub = await hubInProcess()
    const [ada, eve] = [await member(hub, 'ada'), await member(hub, 'eve')]
    const first = await linked(ada)
    await first.link.offer([web])
    await first.stop()
    await new HubClient({ hub: hub.url }).leave(new Signer(ada))
    expect(await (await linked(eve)).link.offer([web])).toEqual([])
  })

  test('stays with its owner over a restart of the hub', async () => {
    const folder = scratchFolder()
    const options = { folder, host: '127.0.0.1', version: '0.1.0', log: () => {} }
    const first = await startHub({ ...options, port: await freePort() })
    const place = { hub: first, url: `http://127.0.0.1:${first.port}`, folder, log: [] }
    const [ada, eve] = [await member(place, 'ada'), await member(place, 'eve')]
    const { link, stop } = await linked(ada)
    await link.offer([web])
    await stop()
    await first.close()
    const again = await startHub({ ...options, port: first.port })
    const second = await linked(eve)
    expect(await second.link.offer([web])).toHaveLength(1)
    await second.stop()
    await again.close()
  })
})

test('a list that is as long as it may be is taken, and given out', async () => {
  const hub = await hubInProcess()
  const ada = await member(hub)
  const { link } = await linked(ada)
  const many = Array.from({ length: MAX_SERVICES }, (_, index) => ({
    name: `s${index}-${'x'.repeat(55)}`,
    port: 1 + index,
  }))
  expect(await link.offer(many)).toEqual([])
  const client = new HubClient({ hub: hub.url })
  expect(await client.services(new Signer(ada))).toHaveLength(MAX_SERVICES)
  expect(await client.service(new Signer(ada), many[7]!.name)).toMatchObject({ port: 8, agent: ada.agentId })
  expect(await client.service(new Signer(ada), 's7')).toBeUndefined()
})
