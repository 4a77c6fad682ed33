import { isIP } from 'node:net'
import * as v from 'valibot'
import { ConnectError } from '../errors.ts'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { readJson } from '../files/read-json.ts'
import { AgentId } from './agent-id.ts'
import type { AgentInstance } from './instance.ts'
import { ServiceName } from './service-name.ts'
import { formatTarget } from './target.ts'

/** A local address to listen on that no look-up can change. */
export const NumericAddress = v.pipe(
  v.string(),
  v.check((text) => isIP(text) !== 0, 'not a numeric address'),
)

/** A reach whose local port the agent holds for as long as it runs. */
export const KeptReach = v.strictObject({
  /** The service's name. */
  name: ServiceName,
  /** The local port. It is settled once, and never moves by itself. */
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
  /** Numeric local address to listen on; without it both loopbacks. */
  bind: v.exactOptional(NumericAddress),
  /** The agent that alone may serve it; without it the first that does. */
  agent: v.exactOptional(AgentId),
})
export type KeptReach = v.InferOutput<typeof KeptReach>

/** Versions before that of the product know no agents of reaches, and say so of 2. */
const [VERSION, AGENTS_VERSION] = [1, 2]

/** How many one agent may keep: each has two sockets open, and a note for its neighbours. */
export const MAX_REACHES = 100

const ReachesFile = v.object({
  version: v.picklist([VERSION, AGENTS_VERSION]),
  reaches: v.pipe(
    v.array(KeptReach),
    v.maxLength(MAX_REACHES, `more than ${MAX_REACHES} reaches`),
    v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two have the same name'),
  ),
})

/** @throws ConnectError REACHES_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER, FILE_UNTRUSTED */
export function readReaches(instance: AgentInstance): KeptReach[] {
  const file = readJson(instance.reachesFile, ReachesFile, {
    version: AGENTS_VERSION,
    damaged: 'REACHES_DAMAGED',
  })
  return file?.reaches ?? []
}

/** Only the holder of the instance's lock writes. @throws ConnectError WRITE_FAILED */
export function writeReaches(instance: AgentInstance, reaches: readonly KeptReach[]): void {
  const sorted = reaches.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const version = sorted.some(({ agent }) => agent !== undefined) ? AGENTS_VERSION : VERSION
  writeFileAtomic(instance.reachesFile, `${JSON.stringify({ version, reaches: sorted }, null, 2)}\n`)
}

/**
 * @returns the list with this reach in it, in place of one of the same name
 * @throws ConnectError BAD_VALUE if there are too many
 */
export function withReach(reaches: readonly KeptReach[], added: KeptReach): KeptReach[] {
  const list = [...reaches.filter(({ name }) => name !== added.name), added]
  if (list.length <= MAX_REACHES) return list
  throw new ConnectError('BAD_VALUE', `One agent keeps ${MAX_REACHES} reaches at most`, {
    hints: ['Take one back first: connect unreach NAME'],
  })
}

/** Where clients find it, in words: `localhost:5432` for both loopbacks. */
export function localAddressOf({ bind, port }: { bind?: string | null; port: number }): string {
  return formatTarget({ host: bind ?? 'localhost', port })
}
