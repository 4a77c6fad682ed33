import { connect, connectOk, startConnect, type RunningCli } from './cli.ts'
import { freePort } from './free-port.ts'
import { makeHome, type Home } from './home.ts'
import { echoServer, type TestServer } from './servers.ts'

export interface WorldOptions {
  /** More arguments for `connect hub`. */
  readonly hub?: readonly string[]
  /** More arguments for `connect login`. */
  readonly login?: readonly string[]
}

/** A hub that runs, and machines that have joined it; all of it real processes with homes of their own. */
export class World {
  readonly hubHome: Home
  readonly hubUrl: string
  hub: RunningCli
  readonly #options: WorldOptions
  readonly #machines: Home[] = []
  readonly #running: RunningCli[] = []
  readonly #servers: TestServer[] = []

  private constructor(hubHome: Home, hub: RunningCli, hubUrl: string, options: WorldOptions) {
    this.hubHome = hubHome
    this.hub = hub
    this.hubUrl = hubUrl
    this.#options = options
  }

  static async start(options: WorldOptions = {}): Promise<World> {
    const home = makeHome('hub')
    const hub = startConnect(home, [
      'hub',
      '--listen',
      `127.0.0.1:${await freePort()}`,
      ...(options.hub ?? []),
    ])
    const [, url] = await hub.printed(/listening on (https?:\/\/\S+)/)
    return new World(home, hub, url!, options)
  }

  /** Starts the hub again on the same address and data, after the test has ended it. */
  async restartHub(): Promise<void> {
    const args = ['hub', '--listen', new URL(this.hubUrl).host, ...(this.#options.hub ?? [])]
    this.hub = startConnect(this.hubHome, args)
    await this.hub.printed(/listening on/)
  }

  async joinToken(args: readonly string[] = []): Promise<string> {
    return (await connectOk(this.hubHome, ['hub', 'token', 'create', ...args])).trim()
  }

  /** A home folder that nobody has logged in from. */
  emptyMachine(name = 'home'): Home {
    const home = makeHome(name)
    this.#machines.push(home)
    return home
  }

  /** A home folder with a credential for the hub. */
  async machine(name = 'home'): Promise<Home> {
    const home = this.emptyMachine(name)
    const env = { PRIVATECONNECT_TOKEN: await this.joinToken() }
    const args = ['login', '--hub', this.hubUrl, '--label', name, ...(this.#options.login ?? [])]
    await connectOk(home, args, { env })
    return home
  }

  /** A home folder with a credential, from which an echo is exposed by its name. */
  async echoMachine(name = 'server'): Promise<Home> {
    const echo = await echoServer()
    this.#servers.push(echo)
    const home = await this.machine(name)
    await connectOk(home, ['expose', String(echo.port), '--name', 'echo'])
    return home
  }

  /** `connect reach`, until the end of the test. @returns the local port */
  async reach(
    home: Home,
    name: string,
    args: readonly string[] = ['--port', '0'],
  ): Promise<{ port: number; cli: RunningCli }> {
    const cli = this.keep(startConnect(home, ['reach', name, ...args]))
    const [, port] = await cli.printed(/is at \S+:(\d+)/)
    await cli.printed(/Connected to hub/)
    return { port: Number(port), cli }
  }

  /** Ends with the world. */
  keep(running: RunningCli): RunningCli {
    this.#running.push(running)
    return running
  }

  async stop(): Promise<void> {
    for (const running of this.#running) await running.stop()
    for (const home of this.#machines) {
      await connect(home, ['daemon', 'stop'])
      home.remove()
    }
    await this.hub.stop()
    this.hubHome.remove()
    for (const server of this.#servers) await server.close()
  }
}
