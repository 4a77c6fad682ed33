import type { Metric } from '../measures/measure.ts'
import type { Figure, Results } from '../results.ts'
import type { Spread } from '../statistics.ts'
import { connectPlain, connectTls } from '../topologies/connect.ts'
import { nodePipe } from '../topologies/node-pipe.ts'
import { openssh } from '../topologies/openssh.ts'

/** What this tunnel is to reach. */
export interface Target {
  readonly title: string
  readonly over: Figure
  /** What it is divided by, if it is a ratio. */
  readonly under?: Figure
  readonly is: 'at least' | 'at most'
  readonly value?: number
  /** Further than the target, and no promise. */
  readonly stretch?: number
}

const { name: plain } = connectPlain
const { name: tls } = connectTls
const { name: pipes } = nodePipe
const { name: ssh } = openssh

function ratioTo(
  other: string,
  metric: Metric,
  what: string,
  rest: Pick<Target, 'is' | 'value' | 'stretch'>,
  name = plain,
): Target {
  return { title: `${what}: ${name} / ${other}`, over: [name, metric], under: [other, metric], ...rest }
}

const TARGETS: readonly Target[] = [
  ratioTo(pipes, 'up', 'one stream up', { is: 'at least', value: 0.7, stretch: 0.85 }),
  ratioTo(pipes, 'down', 'one stream down', { is: 'at least', value: 0.7, stretch: 0.85 }),
  ratioTo(ssh, 'up', 'one stream up', { is: 'at least', value: 1.2 }),
  ratioTo(ssh, 'down', 'one stream down', { is: 'at least', value: 1.2 }),
  ratioTo(ssh, 'up', 'one stream up', { is: 'at least', value: 1, stretch: 1.5 }, tls),
  ratioTo(ssh, 'down', 'one stream down', { is: 'at least', value: 1, stretch: 1.5 }, tls),
  ratioTo(ssh, 'ping', 'ping p50', { is: 'at most', value: 1.5 }),
  {
    title: 'ping p50: beside a bulk stream / alone',
    over: [plain, 'pingBusy'],
    under: [plain, 'ping'],
    is: 'at most',
    value: 3,
  },
  ratioTo(ssh, 'connect', 'new connection', { is: 'at most', value: 0.25 }),
  { title: 'hub’s KB for an idle stream', over: [plain, 'streamMemory'], is: 'at most', value: 8 },
  { title: 'hub’s KB for an idle agent', over: [plain, 'agentMemory'], is: 'at most', value: 60 },
  { title: 'hub’s CPU seconds for a GB', over: [plain, 'cpuHub'], is: 'at most', stretch: 1.3 },
]

export interface Judged {
  readonly target: Target
  /** undefined if it was not measured. */
  readonly spread: Spread | undefined
}

export function judge(results: Results): Judged[] {
  return TARGETS.map((target) => ({
    target,
    spread: target.under ? results.ratio(target.over, target.under) : results.of(...target.over),
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
