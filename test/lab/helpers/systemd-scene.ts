import { expect } from 'vitest'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import type { CliResult } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { echoServer } from '../../helpers/servers.ts'
import { World } from '../../helpers/world.ts'
import type { InMachine } from './machine-command.ts'
import { Machine, type MachineOptions } from './machine.ts'
import type { Own } from './owned.ts'
import { openSocket } from './socket.ts'

export const UNIT = 'private-connect.service'
export const UNIT_FILE = `.config/systemd/user/${UNIT}`
/** Settings of the user's own, which systemd adds to the unit's. */
export const DROP_IN = `${UNIT_FILE}.d/override.conf`
export const asRoot = { as: 'root', session: 'bare' } as const
export const bare = { session: 'bare' } as const

/** What `daemon status --json` says, as far as these tests ask. */
export interface Status {
  readonly status: string
  readonly reason: string | null
  readonly pid: number | null
  readonly installed: boolean
  readonly autostart: string
  readonly restarts: number | null
  readonly notes: readonly string[]
  readonly manager: { readonly name: string }
  readonly lastExit: {
    readonly at: string | null
    readonly reason: string
    readonly code: number | null
    readonly fix: string | null
  } | null
}

/** A machine with systemd that exposes a service, and another, the host, that reaches it through a hub. */
export class SystemdScene {
  readonly machine: Machine
  readonly world: World
  readonly echoPort: number
  #port: number | undefined
  #client: Home | undefined

  private constructor(machine: Machine, world: World, echoPort: number) {
    this.machine = machine
    this.world = world
    this.echoPort = echoPort
  }

  /** To be owned by the suite: all of it ends with that. */
  static async start(own: Own, options: MachineOptions = {}): Promise<SystemdScene> {
    const world = own(await World.start(), (it) => it.stop())
    const echo = own(await echoServer(), (it) => it.close())
    const machine = own(await Machine.start(options), (it) => it.stop())
    return new SystemdScene(machine, world, echo.port)
  }

  /** Logs dev in at the hub, and exposes the service. */
  async join(args: readonly string[] = [], hub = this.world.hubUrl): Promise<void> {
    const env = { CONNECT_HUB_URL: hub, PRIVATECONNECT_TOKEN: await this.world.joinToken() }
    await this.machine.connectOk(['login', '--label', 'boxed', ...args], { ...bare, env })
    const name = args.length === 0 ? 'echo' : 'echo-2'
    const expose = ['expose', `127.0.0.1:${this.echoPort}`, '--name', name, ...args]
    await this.machine.connectOk(expose, bare)
  }

  daemon(action: string, options: InMachine = {}): Promise<CliResult> {
    return this.machine.connect(['daemon', ...action.split(' ')], { timeoutMs: 100_000, ...options })
  }

  daemonOk(action: string, options: InMachine = {}): Promise<string> {
    return this.machine.connectOk(['daemon', ...action.split(' ')], { timeoutMs: 100_000, ...options })
  }

  async status(options: InMachine = {}, args = ''): Promise<Status> {
    return JSON.parse(await this.daemonOk(`status --json${args}`, options)) as Status
  }

  /** Waits until the service is reached through the hub. */
  async answers(name = 'echo'): Promise<void> {
    this.#client ??= await this.world.machine('client')
    if (name !== 'echo') return this.#answersAt((await this.world.reach(this.#client, name)).port)
    this.#port ??= (await this.world.reach(this.#client, name)).port
    return this.#answersAt(this.#port)
  }

  async #answersAt(port: number): Promise<void> {
    // While the agent is away, connections are refused or reset: then it is asked again.
    const ask = async () => {
      const said = await echoed(port).catch(() => '')
      return said === 'through the hub' || undefined
    }
    expect(await waitFor(ask, { timeoutMs: 60_000, everyMs: 200 })).toBe(true)
  }

  /** The agents that run, by their command lines. */
  async agents(): Promise<number[]> {
    const processes = await this.machine.processes()
    return processes.filter(({ command }) => / up --hub /.test(command)).map(({ pid }) => pid)
  }

  /** Waits until the agent runs as another process than that. */
  async agentOtherThan(pid: number): Promise<number> {
    const look = async () => (await this.agents()).find((it) => it !== pid)
    const found = await waitFor(look, { timeoutMs: 60_000, everyMs: 200 })
    expect(found).toBeDefined()
    return found!
  }

  /** Watches for so long that no agent is there, nor is started and ends again. */
  async staysDown(seconds: number): Promise<void> {
    // Another one for each start.
    const lastStart = () =>
      this.machine.runOk(`systemctl --user show ${UNIT} --property=InvocationID --value`)
    const before = await lastStart()
    expect(before).toMatch(/^[0-9a-f]{32}\n$/)
    expect(await this.agents()).toEqual([])
    await this.machine.runOk(['sleep', String(seconds)])
    expect(await this.agents()).toEqual([])
    expect(await lastStart()).toBe(before)
  }

  /** As if the agent's program were broken: Node.js itself ends with exit code 1. */
  async breakProgram(): Promise<void> {
    await this.machine.write(DROP_IN, '[Service]\nEnvironment="NODE_OPTIONS=--require=/nowhere.cjs"\n')
    await this.machine.runOk('systemctl --user daemon-reload')
  }

  /** All that lies in dev's home folder but our own, and what Node.js caches. */
  async homeFiles(): Promise<string> {
    const others = String.raw`find . \( -path ./.privateconnect -o -path '*/.privateconnect/cache' \) -prune -o`
    const list = `${others} -printf '%M %u %y %p %l\\n' | sort
      ${others} -type f -print0 | sort -z | xargs -0 -r sha256sum`
    return this.machine.runOk(list, bare)
  }

  async failedUnits(): Promise<string> {
    return this.machine.runOk('systemctl --user --failed --no-legend --plain')
  }

  /** Removes all that a test has left. */
  async reset(): Promise<void> {
    await this.machine.login()
    await this.machine.run(
      `connect daemon uninstall; connect daemon stop
       systemctl --user unmask ${UNIT}; systemctl --user disable --now ${UNIT}; systemctl --user reset-failed
       rm -rf .config; systemctl --user daemon-reload`,
    )
  }
}

async function echoed(port: number): Promise<string> {
  const socket = await openSocket(port)
  socket.end('through the hub')
  return (await socket.toArray()).join('')
}
