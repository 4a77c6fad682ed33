import { mkdirSync } from 'node:fs'
import { connect as dial, type Socket } from 'node:net'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { serveStream } from '../../../src/agent/serve-stream.ts'
import { readConfig, type Config } from '../../../src/config/config.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { readServices, writeServices } from '../../../src/config/services.ts'
import { agentStatus, exposeService, unexposeService } from '../../../src/control/client.ts'
import { Signer } from '../../../src/hub-client/credential.ts'
import { HubClient } from '../../../src/hub-client/hub-client.ts'
import { HubLink } from '../../../src/hub-client/link/hub-link.ts'
import { login } from '../../../src/hub-client/login.ts'
import { startHub } from '../../../src/hub/server.ts'
import { Store } from '../../../src/hub/store/store.ts'
import { reach } from '../../../src/reach/reach.ts'
import { freePort } from '../free-port.ts'
import { makeHome, type Home } from '../home.ts'
import { echoServer } from '../servers.ts'
import { Faulty } from './faulty.ts'
import { relayTo } from './relay.ts'

/** A data command at work among honest others, which live in the test's own process. */
export interface Scene {
  readonly command: Faulty
  /** A connection that goes through it all the time. @returns whether it still does */
  held(): Promise<boolean>
  /** Opens a new one in its place. */
  holdAnew(): Promise<void>
  /**
   * All that it can be asked for, once. @returns what was refused, in words; what isn't answered at all
   * throws
   */
  ask(): Promise<string[]>
  stop(): Promise<void>
}

const silent = () => {}
const VERSION = '0.1.0'
/** A look of each kind that a data command takes now and then: each second, or a 20th of that here. */
const LOOK_MS = 70
const ANSWER_MS = 20_000

async function memberIn(home: Home, hub: string, token: string): Promise<Config> {
  mkdirSync(home.file('.'), { recursive: true, mode: 0o700 })
  const instance = instanceFor(undefined, home.folder)
  await login(instance, { hub, insecure: false, label: 'a', token })
  return readConfig(instance)!
}

/** A member whose link serves an echo under the name `echo`. */
function servingEcho(config: Config, port: number): { link: HubLink; stop: () => Promise<void> } {
  const services = new Map([['echo', { name: 'echo', host: '127.0.0.1', port }]])
  const link: HubLink = new HubLink({
    config,
    role: 'agent',
    version: VERSION,
    log: silent,
    onStream: (stream) => serveStream(stream, services, silent),
    onConnected: () => void link.offer([{ name: 'echo', port }]),
  })
  const abort = new AbortController()
  const ended = link.run(abort.signal)
  ended.catch(silent)
  return {
    link,
    async stop() {
      abort.abort()
      await ended.catch(silent)
    },
  }
}

async function answers(socket: Socket, text: string): Promise<boolean> {
  if (socket.destroyed) return false
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const timer = setTimeout(() => reject(new Error('a connection neither answers nor ends')), ANSWER_MS)
  const answered = (data: Buffer) => resolve(String(data) === text)
  const closed = () => resolve(false)
  socket.once('data', answered).once('close', closed)
  socket.write(text)
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    socket.off('data', answered).off('close', closed)
  }
}

function opened(port: number): Socket {
  const socket = dial(port, '127.0.0.1')
  socket.on('error', silent)
  return socket
}

/** A new connection that ends at once. */
async function passes(port: number): Promise<boolean> {
  const socket = opened(port)
  try {
    return await answers(socket, 'new')
  } finally {
    socket.destroy()
  }
}

/** Tries one thing after another. @returns those that failed, with the words for it */
async function each(tries: Record<string, () => Promise<unknown>>): Promise<string[]> {
  const refused: string[] = []
  for (const [name, attempt] of Object.entries(tries)) {
    try {
      if ((await attempt()) === false) refused.push(name)
    } catch (error) {
      if (!(error instanceof Error) || /neither answers/.test(error.message)) throw error
      refused.push(`${name}: ${error.message}`)
    }
  }
  return refused
}

function holding(port: number): Pick<Scene, 'held' | 'holdAnew'> & { drop: () => void } {
  let socket = opened(port)
  let count = 0
  return {
    held: () => answers(socket, `held ${++count}`),
    async holdAnew() {
      socket.destroy()
      socket = opened(port)
    },
    drop: () => socket.destroy(),
  }
}

/** A home folder within another one. */
function within({ folder, env }: Home, name: string): Home {
  const inner = path.join(folder, name)
  return {
    folder: inner,
    env: { ...env, HOME: inner },
    file: (file) => path.join(inner, '.privateconnect', file),
    remove: silent,
  }
}

/** A hub, an echo, and a way from the data command to the hub that can be cut. */
async function surroundings() {
  const home = makeHome('faulty')
  const folder = home.file('hub')
  const hub = await startHub({ folder, host: '127.0.0.1', port: 0, version: VERSION, log: silent })
  const way = await relayTo(hub.port)
  const echo = await echoServer()
  const store = await Store.open(folder)
  const { token } = store.createToken({ ttlMs: 3_600_000, uses: 10 })
  store.close()
  const stop = async () => {
    await way.close()
    await hub.close()
    await echo.close()
    home.remove()
  }
  return { home, hub, way, echo, token, url: `http://127.0.0.1:${hub.port}`, stop }
}

/** @param env CONNECT_DAEMON=1 for the agent that a platform keeps alive */
export async function agentScene(env: NodeJS.ProcessEnv): Promise<Scene> {
  const around = await surroundings()
  const { home, way, echo, token } = around
  const machine = within(home, 'server')
  await memberIn(machine, `http://127.0.0.1:${way.port}`, token)
  const instance = instanceFor(undefined, machine.folder)
  const exposed = { host: '127.0.0.1', port: echo.port }
  writeServices(instance, [{ name: 'echo', ...exposed }])
  const command = await Faulty.start(machine, ['up'], env)
  const client = await memberIn(within(home, 'other'), around.url, token)
  const abort = new AbortController()
  const isUp = async () => (await agentStatus(instance).catch(() => undefined))?.hub.state === 'connected'
  for (let tries = 0; tries < 300 && !(await isUp()); tries++) await sleep(50)
  const reached = await reach(
    {
      config: client,
      services: [{ name: 'echo', port: 0 }],
      bind: '127.0.0.1',
      version: VERSION,
      log: silent,
    },
    abort.signal,
  )
  const connection = holding(reached.services[0]!.port)
  const change = async () => {
    const reply = await exposeService(instance, 'extra', exposed)
    if (!reply) throw new Error('nobody listens')
    await unexposeService(instance, 'extra', { drain: false })
    const status = await agentStatus(instance)
    if (!status) throw new Error('nobody listens')
    const [said, saved] = [status.services, readServices(instance)].map((list) =>
      list.map(({ name }) => name).join(' '),
    )
    if (said !== saved) throw new Error(`neither answers honestly: says ${said}, saved ${saved}`)
    return reply.confirmed || reply.reason !== undefined
  }
  return {
    command,
    ...connection,
    ask: () => {
      way.cut()
      return each({
        status: async () => (await agentStatus(instance)) !== undefined,
        change,
        connection: () => passes(reached.services[0]!.port),
        looks: () => sleep(LOOK_MS),
      })
    },
    async stop() {
      connection.drop()
      abort.abort()
      await reached.ended.catch(silent)
      await command.stop('SIGKILL')
      await around.stop()
    },
  }
}

export async function reachScene(): Promise<Scene> {
  const around = await surroundings()
  const { home, way, echo, token } = around
  const machine = within(home, 'client')
  await memberIn(machine, `http://127.0.0.1:${way.port}`, token)
  const server = await memberIn(within(home, 'other'), around.url, token)
  const serving = servingEcho(server, echo.port)
  await serving.link.whenConnected(ANSWER_MS)
  await sleep(100)
  const port = await freePort()
  const command = await Faulty.start(machine, ['reach', 'echo', '--port', String(port)])
  for (let tries = 0; tries < 300 && !/Connected to hub/.test(command.output); tries++) await sleep(50)
  const connection = holding(port)
  return {
    command,
    ...connection,
    ask: () => {
      way.cut()
      return each({ connection: () => passes(port), looks: () => sleep(LOOK_MS) })
    },
    async stop() {
      connection.drop()
      await command.stop('SIGKILL')
      await serving.stop()
      await around.stop()
    },
  }
}

export async function hubScene(): Promise<Scene> {
  // Its agents live in this process: nobody waits for their next try.
  const { random } = Math
  Math.random = () => 0
  const home = makeHome('faulty')
  const folder = home.file('hub')
  const echo = await echoServer()
  const port = await freePort()
  const command = await Faulty.start(home, ['hub', '--listen', `127.0.0.1:${port}`])
  for (let tries = 0; tries < 300 && !/listening on/.test(command.output); tries++) await sleep(50)
  const store = await Store.open(folder)
  const { token } = store.createToken({ ttlMs: 3_600_000, uses: 100_000 })
  store.close()
  const way = await relayTo(port)
  const hub = `http://127.0.0.1:${way.port}`
  const server = await memberIn(within(home, 's'), hub, token)
  const client = await memberIn(within(home, 'c'), hub, token)
  const serving = servingEcho(server, echo.port)
  await serving.link.whenConnected(ANSWER_MS)
  await sleep(100)
  const abort = new AbortController()
  const reached = await reach(
    {
      config: client,
      services: [{ name: 'echo', port: 0 }],
      bind: '127.0.0.1',
      version: VERSION,
      log: silent,
    },
    abort.signal,
  )
  const connection = holding(reached.services[0]!.port)
  const api = new HubClient({ hub })
  return {
    command,
    ...connection,
    ask: () => {
      way.cut()
      return each({
        info: () => api.info(),
        join: async () => {
          const joined = await memberIn(within(home, 'j'), hub, token)
          await api.leave(new Signer(joined))
        },
        services: async () => (await api.services(new Signer(client))).length > 0,
        connection: () => passes(reached.services[0]!.port),
        looks: () => sleep(LOOK_MS),
      })
    },
    async stop() {
      Math.random = random
      connection.drop()
      abort.abort()
      await reached.ended.catch(silent)
      await serving.stop()
      await way.close()
      await command.stop('SIGKILL')
      await echo.close()
      home.remove()
    },
  }
}
