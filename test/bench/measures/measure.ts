import type { ClientJobs } from '../programs/client.ts'
import type { Worker } from '../processes/worker.ts'
import type { Tunnel } from '../topologies/topology.ts'

/** Everything that is measured of a tunnel, and how it is written down. */
export const METRICS = {
  up: { title: 'one stream up', unit: 'Gbit/s', digits: 2 },
  down: { title: 'one stream down', unit: 'Gbit/s', digits: 2 },
  parallel: { title: 'eight streams up', unit: 'Gbit/s', digits: 2 },
  ping: { title: 'ping, p50', unit: 'ms', digits: 2 },
  pingP99: { title: 'ping, p99', unit: 'ms', digits: 2 },
  pingBusy: { title: 'ping beside a bulk stream, p50', unit: 'ms', digits: 2 },
  pingBusyP99: { title: 'ping beside a bulk stream, p99', unit: 'ms', digits: 2 },
  connect: { title: 'new connection and 1 byte back, p50', unit: 'ms', digits: 2 },
  connects: { title: 'connections a second, 50 at once', unit: '1/s', digits: 0 },
  cpu: { title: 'CPU, all processes', unit: 's/GB', digits: 2 },
  cpuHub: { title: 'CPU, hub', unit: 's/GB', digits: 2 },
  cpuLoad: { title: 'CPU, client and target beside it', unit: 's/GB', digits: 2 },
  memoryIdle: { title: 'memory idle, RSS', unit: 'MB', digits: 0 },
  memoryIdlePss: { title: 'memory idle, PSS', unit: 'MB', digits: 0 },
  memoryLoaded: { title: 'memory after load, RSS', unit: 'MB', digits: 0 },
  memoryLoadedPss: { title: 'memory after load, PSS', unit: 'MB', digits: 0 },
  streamMemory: { title: 'hub’s memory for an idle stream', unit: 'KB', digits: 1 },
  agentMemory: { title: 'hub’s memory for an idle agent', unit: 'KB', digits: 1 },
} as const satisfies Record<string, { title: string; unit: string; digits: number }>

export type Metric = keyof typeof METRICS

/** What one turn of a measure has found. */
export type Figures = Partial<Record<Metric, number>>

export interface Clients {
  readonly main: Worker<ClientJobs>
  /** For a load beside what `main` does. */
  readonly beside: Worker<ClientJobs>
  /** The first process of `main`, and that of the target. */
  readonly pids: readonly number[]
}

/** How long a turn of each measure takes, about. */
export interface Scale {
  readonly transferMs: number
  readonly pingMs: number
  readonly connects: number
  readonly connectManyMs: number
  /** What goes through a tunnel before its memory is read again, each way. */
  readonly loadBytes: number
  /** How many idle streams and agents memory is measured by. */
  readonly idle: number
}

/** Gets ready outside of the rounds. @returns what takes one turn */
export type Measure = (tunnel: Tunnel, clients: Clients, scale: Scale) => Promise<() => Promise<Figures>>
