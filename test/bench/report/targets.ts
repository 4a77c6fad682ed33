import type { Metric } from '../measures/measure.ts'
import type { Figure, Results } from '../results.ts'
import type { Spread } from '../statistics.ts'
import { chisel } from '../topologies/peers/chisel.ts'
import { connectPlain, connectTls } from '../topologies/connect.ts'
import { frp, frpTls } from '../topologies/peers/frp.ts'
import { nodePipe } from '../topologies/node-pipe.ts'
import { openssh } from '../topologies/peers/openssh.ts'
import { rathole } from '../topologies/peers/rathole.ts'
import type { Topology } from '../topologies/topology.ts'
import { wstunnel, wstunnelTls } from '../topologies/peers/wstunnel.ts'

type Is = 'at least' | 'at most'

/** What this tunnel is to reach. */
export interface Target {
  readonly title: string
  readonly over: Figure
  /** What it is divided by, the smallest of several; nothing if it is no ratio. */
  readonly under: readonly Figure[]
  readonly is: Is
  readonly must?: number
  /** Further, and no promise. */
  readonly stretch?: number
}

interface Goal {
  readonly must?: number
  readonly stretch?: number
}

/** Those with as many hops, and those of them that encrypt. */
const TUNNELS = [openssh, frp, frpTls, chisel, wstunnel, wstunnelTls]
const ENCRYPTED = [openssh, frpTls, chisel, wstunnelTls]

function of(metric: Metric, what: string, is: Is) {
  return (ours: Topology, other: Topology | readonly Topology[], goal: Goal): Target => {
    const others = 'name' in other ? [other] : other
    const by = 'name' in other ? other.name : `the lowest of ${others.map(({ name }) => name).join(' · ')}`
    return {
      title: `${what}: ${ours.name} / ${by}`,
      over: [ours.name, metric],
      under: others.map(({ name }) => [name, metric]),
      is,
      ...goal,
    }
  }
}

const up = of('up', 'one stream up', 'at least')
const down = of('down', 'one stream down', 'at least')
const ping = of('ping', 'ping p50', 'at most')
const busy = of('pingBusy', 'ping beside bulk p50', 'at most')
const busyP99 = of('pingBusyP99', 'ping beside bulk p99', 'at most')
const connect = of('connect', 'new connection p50', 'at most')
const connects = of('connects', 'connections a second', 'at least')
const cpu = of('cpu', 'CPU s/GB', 'at most')

function ofHub(metric: Metric, title: string, ours: Topology, must: number): Target {
  return { title: `${title}: ${ours.name}`, over: [ours.name, metric], under: [], is: 'at most', must }
}

const TARGETS: readonly Target[] = [
  ...[up, down].flatMap((stream) => [
    stream(connectPlain, nodePipe, { must: 0.8, stretch: 0.95 }),
    stream(connectPlain, frp, { must: 1.5, stretch: 2 }),
    stream(connectPlain, rathole, { must: 0.55, stretch: 0.65 }),
    stream(connectTls, openssh, { must: 1.15, stretch: 1.5 }),
    stream(connectTls, frpTls, { must: 1.3, stretch: 1.6 }),
  ]),
  ping(connectPlain, nodePipe, { must: 1.1 }),
  ping(connectPlain, openssh, { stretch: 1 }),
  ping(connectTls, frpTls, { must: 1.3, stretch: 1 }),
  busy(connectPlain, frp, { must: 1.2, stretch: 0.8 }),
  busy(connectTls, frpTls, { must: 1.5, stretch: 0.8 }),
  busyP99(connectPlain, TUNNELS, { must: 1 }),
  busyP99(connectTls, ENCRYPTED, { must: 1 }),
  connect(connectPlain, openssh, { must: 1, stretch: 0.7 }),
  connect(connectTls, frpTls, { must: 0.7 }),
  connects(connectPlain, openssh, { must: 1, stretch: 1.4 }),
  connects(connectPlain, frp, { must: 1.6, stretch: 2.5 }),
  cpu(connectPlain, frp, { must: 0.6, stretch: 0.5 }),
  cpu(connectTls, frpTls, { must: 0.8, stretch: 0.7 }),
  ofHub('streamMemory', 'hub’s KB for an idle stream', connectPlain, 5),
  ofHub('agentMemory', 'hub’s KB for an idle agent', connectPlain, 5),
  ofHub('agentMemory', 'hub’s KB for an idle agent', connectTls, 50),
]

export interface Judged {
  readonly target: Target
  /** undefined if it was not measured. */
  readonly spread: Spread | undefined
}

export function judge(results: Results): Judged[] {
  return TARGETS.map((target) => ({
    target,
    spread: target.under.length > 0 ? results.ratio(target.over, target.under) : results.of(...target.over),
  }))
}

/** @returns undefined if there is nothing to compare */
export function isMet(
  { is }: Target,
  spread: Spread | undefined,
  value: number | undefined,
): boolean | undefined {
  if (!spread || value === undefined) return undefined
  return is === 'at least' ? spread.median >= value : spread.median <= value
}
