import { mkdirSync, mkdtempSync, realpathSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import type { Clients } from './measures/measure.ts'
import { stopPrograms } from './processes/program.ts'
import { Worker } from './processes/worker.ts'
import type { ClientJobs } from './programs/client.ts'
import type { TargetJobs } from './programs/target.ts'
import { stopAll } from './topologies/stop-all.ts'
import type { Topology, Tunnel } from './topologies/topology.ts'

const SIGNALS = ['SIGINT', 'SIGTERM'] as const
const programs = path.join(import.meta.dirname, 'programs')

/**
 * Client, target and tunnels, each of it processes of its own, and a folder for their files. All ends with
 * `stop`.
 */
export class Bench {
  readonly clients: Clients
  readonly #target = new Worker<TargetJobs>(path.join(programs, 'target.ts'))
  readonly #folder = mkdtempSync(path.join(realpathSync(tmpdir()), 'bench-'))
  #tunnels: Tunnel[] = []
  #started = 0

  constructor() {
    const client = () => new Worker<ClientJobs>(path.join(programs, 'client.ts'))
    const main = client()
    this.clients = { main, beside: client(), pids: [main.pid, this.#target.pid] }
    for (const signal of SIGNALS) process.once(signal, this.#interrupt)
  }

  /** @param options.inspect whether its Node.js processes open their inspectors */
  async start(topology: Topology, options: { inspect: boolean }): Promise<Tunnel> {
    const folder = path.join(this.#folder, String(++this.#started))
    mkdirSync(folder)
    const target = await this.#target.ask('port', undefined)
    const tunnel = await topology.start({ ...options, target, folder })
    this.#tunnels.push(tunnel)
    return tunnel
  }

  async stopTunnels(): Promise<void> {
    const tunnels = this.#tunnels
    this.#tunnels = []
    await stopAll(tunnels)
  }

  async stop(): Promise<void> {
    for (const signal of SIGNALS) process.off(signal, this.#interrupt)
    const { main, beside } = this.clients
    await stopAll([this.#target, main, beside])
    await this.stopTunnels()
    rmSync(this.#folder, { recursive: true, force: true })
  }

  /** Without its processes whoever measures fails, and then stops all the rest. */
  readonly #interrupt = (): void => {
    const { main, beside } = this.clients
    void stopAll([main, beside]).then(stopPrograms)
  }
}
