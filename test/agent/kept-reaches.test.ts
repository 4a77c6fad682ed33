import { once } from 'node:events'
import { mkdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, createServer, type Socket } from 'node:net'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { KeptReaches, type KeptReachesOptions } from '../../src/agent/kept-reaches.ts'
import { serveStream } from '../../src/agent/serve-stream.ts'
import type { Config } from '../../src/config/config.ts'
import { instanceFor, type AgentInstance } from '../../src/config/instance.ts'
import { readReaches, writeReaches, type KeptReach } from '../../src/config/reaches.ts'
import { Neighbours } from '../../src/control/presence/neighbours.ts'
import { ConnectError } from '../../src/errors.ts'
import { Signer } from '../../src/hub-client/credential.ts'
import { HubClient } from '../../src/hub-client/hub-client.ts'
import { HubLink } from '../../src/hub-client/link/hub-link.ts'
import { connectionPlaces } from '../../src/runtime/connection-places.ts'
import { hubInProcess, member, type TestHub } from '../fixtures/hub/hub-in-process.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { rejectionOf } from '../fixtures/thrown-by.ts'
import { freePort } from '../helpers/free-port.ts'
import { echoServer, serveTcp } from '../helpers/servers.ts'
import { until } from '../helpers/until.ts'

let hub: TestHub & { close(): Promise<void> }
let target: number

beforeEach(async () => {
  hub = await hubInProcess()
})

interface Agent {
  readonly kept: KeptReaches
  readonly instance: AgentInstance
  readonly log: string[]
  readonly link: HubLink
  readonly id: string
}

/** An agent as far as it keeps reaches, and exposes what is named, with its link up. */
async function agent(
  options: Partial<KeptReachesOptions> & {
    config?: Config
    exposes?: string
    reaches?: readonly KeptReach[]
  } = {},
): Promise<Agent> {
  const { exposes, reaches = [], ...more } = options
  const config = options.config ?? (await member(hub, exposes ?? 'laptop'))
  const instance = instanceFor(path.join(scratchFolder(), 'staging.json'))
  const log: string[] = []
  const write = (line: string) => void log.push(line)
  const services = exposes === undefined ? [] : [{ name: exposes, host: 'localhost', port: target }]
  const link: HubLink = new HubLink({
    config,
    role: 'agent',
    version: '0.1.0',
    log: write,
    onStream: (stream) => serveStream(stream, new Map(services.map((one) => [one.name, one])), write),
    onConnected: () => {
      void link.offer(services)
      kept.carry()
    },
  })
  const kept = new KeptReaches(link, reaches, {
    instance,
    hubId: config.hubId,
    log: write,
    ownerOf: async () => undefined,
    retryMs: 20,
    ...more,
  })
  const stop = new AbortController()
  const ended = link.run(stop.signal)
  kept.start()
  onTestFinished(async () => {
    stop.abort()
    await ended
    kept.stop()
  })
  if (options.config === undefined) expect(await link.whenConnected(30_000)).toBe(true)
  return { kept, instance, log, link, id: config.agentId }
}

/** Asks the hub, as an agent does. */
async function asking(): Promise<KeptReachesOptions['ownerOf']> {
  const config = await member(hub, 'laptop')
  return async (name) => (await new HubClient(config).service(new Signer(config), name))?.agent
}

/** A service by this name, and its machine. */
async function echoAgent(name = 'echo'): Promise<Agent> {
  const echo = await echoServer()
  onTestFinished(() => echo.close())
  target = echo.port
  return agent({ exposes: name })
}

/** Something else that has a port of 127.0.0.1. */
async function other(wanted?: number): Promise<{ port: number; leave: () => Promise<void> }> {
  const server = createServer((socket) => socket.on('error', () => {}).destroy())
  const port = wanted ?? (await freePort())
  await once(server.listen(port, '127.0.0.1'), 'listening')
  const leave = async () => {
    if (server.listening) await once(server.close(), 'close')
  }
  onTestFinished(leave)
  return { port, leave }
}

/** A client that says hello. @returns what it gets: its own word again, or an error's code */
async function client(port: number): Promise<{ socket: Socket; outcome: string }> {
  const socket = connect(port, '127.0.0.1')
  onTestFinished(() => void socket.destroy())
  const { promise, resolve } = Promise.withResolvers<string>()
  socket.on('data', (bytes: Buffer) => resolve(String(bytes)))
  socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''))
  socket.write('hello')
  return { socket, outcome: await promise }
}

const own = (port: number) => ({ own: { port, isTaken: false } })

describe('a port that is kept', () => {
  test('leads to the service, is saved, and is told to the neighbours', async () => {
    await echoAgent()
    const { kept, instance } = await agent()
    const port = await freePort()
    expect(await kept.keep('echo', own(port))).toMatchObject({
      outcome: 'kept',
      because: null,
      reach: {
        name: 'echo',
        port,
        bind: null,
        addresses: ['127.0.0.1', '::1'],
        reason: null,
        connections: 0,
      },
    })
    expect(readReaches(instance)).toEqual([{ name: 'echo', port }])
    expect((await client(port)).outcome).toBe('hello')
    expect(kept.status()).toMatchObject([{ connections: 1, failure: null }])
    expect(new Neighbours().reachesAt(port)).toMatchObject([{ service: 'echo', port }])
    await kept.unreach('echo', { drain: false })
    expect(new Neighbours().reachesAt(port)).toEqual([])
  })

  test('leads to a service of this very agent, over the one link, and goes in no loop', async () => {
    const { kept, link } = await echoAgent()
    const { reach, because } = await kept.keep('echo', { own: { port: target, isTaken: true } })
    expect(reach.port).not.toBe(target)
    expect(because).toBe(`${target} may be the service’s own port on this machine`)
    const clients = [await client(reach.port), await client(reach.port), await client(reach.port)]
    expect(clients.map(({ outcome }) => outcome)).toEqual(['hello', 'hello', 'hello'])
    expect(link.streamCount).toBe(6)
    // Both ends of each go on together, though the next hub knows nothing of them.
    await hub.close()
    clients[0]!.socket.write('meanwhile')
    hub = await hubInProcess(hub.folder, { port: hub.hub.port })
    expect(String((await once(clients[0]!.socket, 'data'))[0])).toBe('meanwhile')
    expect(link.streamCount).toBe(6)
  })

  test('is the one after it where the service’s own is taken, or kept for another that does not hold it now', async () => {
    const taken = await other()
    const { kept } = await agent({ reaches: [{ name: 'first', port: taken.port }] })
    await until(() => kept.status()[0]!.code === 'PORT_IN_USE')
    await taken.leave()
    // As if the first had not come round to it yet.
    const [first] = kept.status()
    const second = await kept.keep('second', own(taken.port))
    expect(second.reach.port).toBeGreaterThan(first!.port)
    expect(second.because).toMatch(new RegExp(`^${taken.port} is (taken here|kept for first)$`))
    expect(await rejectionOf(kept.keep('third', { port: first!.port }))).toMatchObject({
      code: 'PORT_IN_USE',
    })
    // On another address it is another port.
    await kept.keep('fourth', { port: first!.port, bind: '127.0.0.9' })
  })

  test('stays as it is when it is kept again without a word of a port, and moves when another is named', async () => {
    await echoAgent()
    const { kept, instance } = await agent()
    const { reach } = await kept.keep('echo', { port: 0 })
    expect(await kept.keep('echo', own(1))).toMatchObject({
      outcome: 'unchanged',
      reach: { port: reach.port },
    })
    const { socket } = await client(reach.port)
    const next = await freePort()
    expect(await kept.keep('echo', { port: next })).toMatchObject({ outcome: 'moved', reach: { port: next } })
    expect(readReaches(instance)).toEqual([{ name: 'echo', port: next }])
    expect((await client(reach.port)).outcome).toBe('ECONNREFUSED')
    expect((await client(next)).outcome).toBe('hello')
    // What is connected stays so.
    socket.write('again')
    expect(String((await once(socket, 'data'))[0])).toBe('again')
    expect(kept.status()).toMatchObject([{ connections: 2 }])
  })

  test('can change its address and not its number, and stays held where that can’t be', async () => {
    const { kept, instance } = await agent()
    const port = await freePort()
    await kept.keep('echo', { port })
    expect(await kept.keep('echo', { bind: '127.0.0.1' })).toMatchObject({
      outcome: 'moved',
      reach: { port, bind: '127.0.0.1', addresses: ['127.0.0.1'] },
    })
    expect(await rejectionOf(kept.keep('echo', { bind: '192.0.2.9' }))).toMatchObject({
      code: 'CANNOT_LISTEN',
    })
    expect(kept.status()).toMatchObject([{ addresses: ['127.0.0.1'] }])
    expect(readReaches(instance)).toEqual([{ name: 'echo', port, bind: '127.0.0.1' }])
    expect(await kept.keep('echo', { bind: null })).toMatchObject({ outcome: 'moved', reach: { bind: null } })
    expect(readReaches(instance)).toEqual([{ name: 'echo', port }])
  })

  test('is nobody else’s for a moment while its address changes', async () => {
    await echoAgent()
    const { kept } = await agent()
    const port = await freePort()
    await kept.keep('echo', { port })
    const { socket } = await client(port)
    for (const bind of ['127.0.0.1', null, '127.0.0.1']) {
      const moving = kept.keep('echo', { bind })
      const outcome = Promise.race([moving, other(port).then(() => 'taken')])
      expect(await outcome.catch((error: NodeJS.ErrnoException) => error.code)).not.toBe('taken')
      expect(await moving).toMatchObject({ outcome: 'moved', reach: { bind } })
    }
    expect((await client(port)).outcome).toBe('hello')
    socket.write('again')
    expect(String((await once(socket, 'data'))[0])).toBe('again')
    await kept.keep('echo', { bind: '127.0.0.9' })
    await other(port)
  })

  test('stays where it is if its new address can’t be held beside it, or not be written down', async () => {
    const { kept, instance } = await agent()
    const port = await freePort()
    await kept.keep('echo', { port })
    const held = { addresses: ['127.0.0.1', '::1'], code: null }
    expect(await rejectionOf(kept.keep('echo', { bind: '0.0.0.0' }))).toMatchObject({
      code: 'PORT_IN_USE',
      message: `echo stays at localhost:${port}: 0.0.0.0:${port} can’t be held beside it`,
      hints: [
        'Give up the port first: connect unreach echo',
        `Then: connect reach echo --keep --port ${port} --bind 0.0.0.0`,
      ],
    })
    expect(kept.status()).toMatchObject([held])
    expect(readReaches(instance)).toEqual([{ name: 'echo', port }])
    rmSync(instance.reachesFile)
    mkdirSync(path.join(instance.reachesFile, 'x'), { recursive: true })
    for (const bind of ['127.0.0.1', '127.0.0.9'])
      expect(await rejectionOf(kept.keep('echo', { bind }))).toMatchObject({ code: 'WRITE_FAILED' })
    expect(kept.status()).toMatchObject([held])
    await expect(other(port)).rejects.toThrow(/EADDRINUSE/)
    // What was opened for nothing is free again.
    const server = createServer().listen(port, '127.0.0.9')
    await once(server, 'listening')
    await once(server.close(), 'close')
  })

  test('is one and the same for ten that keep it at once', async () => {
    const { kept, instance } = await agent()
    const port = await freePort()
    const replies = await Promise.all(Array.from({ length: 10 }, () => kept.keep('echo', own(port))))
    expect(new Set(replies.map(({ reach }) => reach.port))).toEqual(new Set([port]))
    expect(replies.filter(({ outcome }) => outcome === 'kept')).toHaveLength(1)
    expect(readReaches(instance)).toEqual([{ name: 'echo', port }])
  })

  test('is the next free one of another instance that keeps the same name', async () => {
    const [one, two] = [await agent(), await agent()]
    const port = await freePort()
    const first = await one.kept.keep('echo', own(port))
    const second = await two.kept.keep('echo', own(port))
    expect(first.reach.port).toBe(port)
    expect(second.reach.port).toBeGreaterThan(port)
  })

  test('is neither saved nor held if it can’t be had, or not be written down', async () => {
    const taken = await other()
    const { kept, instance } = await agent()
    expect(await rejectionOf(kept.keep('echo', { port: taken.port }))).toMatchObject({ code: 'PORT_IN_USE' })
    // A folder in its place: nothing can be renamed onto it.
    mkdirSync(path.join(instance.reachesFile, 'x'), { recursive: true })
    const port = await freePort()
    expect(await rejectionOf(kept.keep('echo', { port }))).toMatchObject({ code: 'WRITE_FAILED' })
    expect((await client(port)).outcome).toBe('ECONNREFUSED')
    expect(kept.status()).toEqual([])
    expect(new Neighbours().reachesAt(port)).toEqual([])
  })
})

describe('a port that is taken when the agent starts', () => {
  test('is had within a second of being free, and no other meanwhile', async () => {
    await echoAgent()
    const taken = await other()
    const { kept, log } = await agent({ reaches: [{ name: 'echo', port: taken.port }], retryMs: 500 })
    await until(() => kept.status()[0]!.reason !== null)
    expect(kept.status()).toMatchObject([
      { addresses: [], code: 'PORT_IN_USE', reason: `Port ${taken.port} of 127.0.0.1 is in use` },
    ])
    await taken.leave()
    await until(() => kept.status()[0]!.addresses.length === 2, { timeoutMs: 10_000 })
    expect((await client(taken.port)).outcome).toBe('hello')
    expect(log.filter((line) => line.includes('echo is'))).toEqual([
      `[!] echo is not at localhost:${taken.port}: Port ${taken.port} of 127.0.0.1 is in use. Trying again`,
      `[ok] echo is at localhost:${taken.port}`,
    ])
  })

  test('is not taken any more once the reach was taken back', async () => {
    const taken = await other()
    const { kept } = await agent({ reaches: [{ name: 'echo', port: taken.port }] })
    await until(() => kept.status()[0]!.reason !== null)
    expect(await kept.unreach('echo', { drain: false })).toEqual({ removed: true, ended: 0, connections: 0 })
    await taken.leave()
    await new Promise((tried) => setTimeout(tried, 100))
    expect((await client(taken.port)).outcome).toBe('ECONNREFUSED')
  })
})

describe('a reach that is taken back', () => {
  test('ends its connections, and frees its port', async () => {
    await echoAgent()
    const { kept, instance } = await agent()
    const { reach } = await kept.keep('echo', { port: 0 })
    const { socket } = await client(reach.port)
    expect(await kept.unreach('echo', { drain: false })).toEqual({ removed: true, ended: 1, connections: 0 })
    await until(() => socket.destroyed)
    expect((await client(reach.port)).outcome).toBe('ECONNREFUSED')
    expect(readReaches(instance)).toEqual([])
    expect(await kept.unreach('echo', { drain: false })).toEqual({ removed: false, ended: 0, connections: 0 })
  })

  test('lets them come to their end with drain, and a second word ends them', async () => {
    await echoAgent()
    const { kept } = await agent()
    const { reach } = await kept.keep('echo', { port: 0 })
    const [first, second] = [await client(reach.port), await client(reach.port)]
    expect(await kept.unreach('echo', { drain: true })).toEqual({ removed: true, ended: 0, connections: 2 })
    expect((await client(reach.port)).outcome).toBe('ECONNREFUSED')
    first.socket.write('still here')
    expect(String((await once(first.socket, 'data'))[0])).toBe('still here')
    first.socket.destroy()
    await until(async () => (await kept.unreach('echo', { drain: true })).connections === 1)
    expect(await kept.unreach('echo', { drain: false })).toEqual({ removed: false, ended: 1, connections: 0 })
    await until(() => second.socket.destroyed)
    expect(await kept.unreach('echo', { drain: false })).toEqual({ removed: false, ended: 0, connections: 0 })
  })

  test('stays if that can’t be written down', async () => {
    const { kept, instance } = await agent()
    const { reach } = await kept.keep('echo', { port: 0 })
    rmSync(instance.reachesFile)
    mkdirSync(path.join(instance.reachesFile, 'x'), { recursive: true })
    expect(await rejectionOf(kept.unreach('echo', { drain: false }))).toMatchObject({ code: 'WRITE_FAILED' })
    expect(kept.status()).toMatchObject([{ port: reach.port, addresses: ['127.0.0.1', '::1'] }])
  })
})

describe('why connections fail is told, and since when:', () => {
  test('the target refuses, until it answers again', async () => {
    const echo = await echoServer()
    target = echo.port
    await agent({ exposes: 'echo' })
    await echo.close()
    const { kept, log } = await agent()
    const { reach } = await kept.keep('echo', { port: 0 })
    expect((await client(reach.port)).outcome).toBe('ECONNRESET')
    const [first] = kept.status()
    const reason = `the target localhost:${target} can’t be reached: connection refused`
    expect(first!.failure).toMatchObject({ cause: 'target', reason })
    expect(log.filter((line) => line.startsWith('[x]'))).toEqual([
      expect.stringMatching(/^\[x\] echo: Connection \w+ failed: the target /),
    ])
    await client(reach.port)
    expect(kept.status()[0]!.failure!.since).toBe(first!.failure!.since)
    await other(target)
    connect(reach.port, '127.0.0.1').on('error', () => {})
    await until(() => kept.status()[0]!.failure === null)
  })

  test('nobody has the service', async () => {
    const { kept } = await agent()
    const { reach } = await kept.keep('nobody', { port: 0 })
    expect((await client(reach.port)).outcome).toBe('ECONNRESET')
    expect(kept.status()).toMatchObject([{ failure: { cause: 'service' } }])
  })

  test('the hub is away: clients wait for it, and are reset; those that wait when it is back are carried', async () => {
    await echoAgent()
    const { kept, link } = await agent({ holdMs: 300 })
    const { reach } = await kept.keep('echo', { port: 0 })
    const { port } = hub.hub
    await hub.close()
    await until(() => !link.isUp)
    expect((await client(reach.port)).outcome).toBe('ECONNRESET')
    expect(kept.status()).toMatchObject([
      { addresses: ['127.0.0.1', '::1'], failure: { cause: 'hub', reason: 'no link to the hub' } },
    ])
    hub = await hubInProcess(hub.folder, { port })
    await until(() => link.isUp)
    expect(kept.status()).toMatchObject([{ failure: null }])
    await until(async () => (await client(reach.port)).outcome === 'hello')
    expect(kept.status()).toMatchObject([{ failure: null }])
  })
})

/** The name is this agent's from now on, and was another's. */
async function takesOver(name: string, from: Agent, to: Agent): Promise<void> {
  expect(await from.link.offer([])).toEqual([])
  expect(await to.link.offer([{ name, port: 1 }])).toEqual([])
}

describe('a name that goes over to another machine', () => {
  /** Two machines with a service of the same name, the first one's, and who has come to the second. */
  async function twoMachines(): Promise<{ first: Agent; second: Agent; come: Socket[] }> {
    const first = await echoAgent()
    const come: Socket[] = []
    const other = await serveTcp((socket) => come.push(socket.on('data', (bytes) => socket.write(bytes))))
    onTestFinished(() => other.close())
    target = other.port
    return { first, second: await agent({ exposes: 'echo' }), come }
  }

  const reason = '"echo" is now served by another machine, echo; connect reach echo --keep accepts that'

  test('gets nothing from a kept reach, which says so, until whoever kept it accepts that', async () => {
    const { first, second, come } = await twoMachines()
    const { kept, instance } = await agent()
    const { reach } = await kept.keep('echo', { port: 0, agent: first.id })
    expect(reach).toMatchObject({ agent: first.id })
    expect(readReaches(instance)).toEqual([{ name: 'echo', port: reach.port, agent: first.id }])
    const before = await client(reach.port)
    await takesOver('echo', first, second)
    expect((await client(reach.port)).outcome).toBe('ECONNRESET')
    expect(kept.status()).toMatchObject([{ agent: first.id, failure: { cause: 'owner', reason } }])
    expect(come).toEqual([])
    // What has been opened to the first one goes on.
    before.socket.write('again')
    expect(String((await once(before.socket, 'data'))[0])).toBe('again')

    const again = await kept.keep('echo', { agent: second.id })
    expect(again).toMatchObject({ outcome: 'accepted', reach: { port: reach.port, failure: null } })
    expect(readReaches(instance)).toEqual([{ name: 'echo', port: reach.port, agent: second.id }])
    expect((await client(reach.port)).outcome).toBe('hello')
    expect(come).toHaveLength(1)
    expect(await kept.keep('echo', { agent: second.id })).toMatchObject({ outcome: 'unchanged' })
  })

  test('leads to the first one again once that has it back', async () => {
    const { first, second } = await twoMachines()
    const { kept } = await agent()
    const { reach } = await kept.keep('echo', { port: 0, agent: first.id })
    await takesOver('echo', first, second)
    expect((await client(reach.port)).outcome).toBe('ECONNRESET')
    await takesOver('echo', second, first)
    expect((await client(reach.port)).outcome).toBe('hello')
    expect(kept.status()).toMatchObject([{ failure: null }])
  })

  test('gets nothing either from one that was kept before machines were, and has been linked since', async () => {
    const { first, second, come } = await twoMachines()
    const port = await freePort()
    const { kept, instance } = await agent({ reaches: [{ name: 'echo', port }], ownerOf: await asking() })
    await until(() => kept.status()[0]!.agent === first.id)
    expect(readReaches(instance)).toEqual([{ name: 'echo', port, agent: first.id }])
    await takesOver('echo', first, second)
    expect((await client(port)).outcome).toBe('ECONNRESET')
    expect(come).toEqual([])
  })
})

describe('a reach that is kept without a word of whose it is', () => {
  test('is that of the first machine that serves it', async () => {
    const { kept, instance } = await agent({ ownerOf: await asking() })
    const { reach } = await kept.keep('echo', { port: 0 })
    expect(reach.agent).toBeNull()
    const { id } = await echoAgent()
    expect((await client(reach.port)).outcome).toBe('hello')
    await until(() => kept.status()[0]!.agent === id)
    expect(readReaches(instance)).toEqual([{ name: 'echo', port: reach.port, agent: id }])
  })

  test('is so for as long as the agent runs where that can’t be written down', async () => {
    const { id } = await echoAgent()
    const port = await freePort()
    const { promise, resolve } = Promise.withResolvers<string>()
    const { kept, instance, log } = await agent({ reaches: [{ name: 'echo', port }], ownerOf: () => promise })
    mkdirSync(path.join(instance.reachesFile, 'x'), { recursive: true })
    resolve(id)
    await until(() => kept.status()[0]!.agent === id)
    expect(log.at(-1)).toContain(instance.reachesFile)
  })

  test('is carried while the hub can’t say whose it is, and asked about again', async () => {
    const { id } = await echoAgent()
    const asked: string[] = []
    const ownerOf = async (name: string) => {
      asked.push(name)
      if (asked.length < 3) throw new ConnectError('HUB_UNREACHABLE', 'no answer')
      return id
    }
    const { kept } = await agent({ ownerOf })
    const { reach } = await kept.keep('echo', { port: 0 })
    await until(() => asked.length === 1)
    expect((await client(reach.port)).outcome).toBe('hello')
    await until(() => asked.length === 2)
    expect(kept.status()).toMatchObject([{ agent: null }])
    expect((await client(reach.port)).outcome).toBe('hello')
    await until(() => kept.status()[0]!.agent === id)
  })
})

test('who floods a kept port leaves room for clients of another', async () => {
  const limit = vi.spyOn(connectionPlaces, 'limit', 'get').mockReturnValue(40)
  onTestFinished(() => limit.mockRestore())
  const { kept, link, log } = await agent()
  const [flooded, quiet] = [await kept.keep('flooded', { port: 0 }), await kept.keep('quiet', { port: 0 })]
  // Until there is a link again clients wait.
  await hub.close()
  await until(() => !link.isUp)
  const countOf = (name: string) => kept.status().find((one) => one.name === name)?.connections
  const come = (port: number) => {
    const socket = connect(port, '127.0.0.1').on('error', () => {})
    onTestFinished(() => void socket.destroy())
  }
  for (let count = 0; count < 40; count++) come(flooded.reach.port)
  await until(() => log.some((line) => line.includes('the 7 more that may be are for other kept reaches')))
  expect(countOf('flooded')).toBe(23)
  come(quiet.reach.port)
  await until(() => countOf('quiet') === 1)
})

test('a list that was deleted is written again', async () => {
  const { kept, instance } = await agent()
  kept.holdFile()
  expect(readReaches(instance)).toEqual([])
  const { reach } = await kept.keep('echo', { port: 0 })
  const written = readFileSync(instance.reachesFile, 'utf8')
  rmSync(instance.reachesFile)
  kept.holdFile()
  expect(readFileSync(instance.reachesFile, 'utf8')).toBe(written)
  // Whatever else it has become is not looked at while it is there.
  writeReaches(instance, [])
  kept.holdFile()
  expect(readReaches(instance)).toEqual([])
  expect(kept.status()).toMatchObject([{ port: reach.port }])
})
