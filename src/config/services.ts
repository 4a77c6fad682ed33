import * as v from 'valibot'
import { ConnectError } from '../errors.ts'
import { writeFileAtomic } from '../files/durable/atomic-write.ts'
import { readJson } from '../files/read-json.ts'
import type { AgentInstance } from './instance.ts'
import { ServiceName } from './service-name.ts'
import { SocketPath } from './socket-path.ts'
import { formatTarget, listTarget, type ListedTarget, type Target } from './target.ts'

const name = { name: ServiceName }

const tcpTarget = {
  host: v.pipe(v.string(), v.minLength(1), v.maxLength(253)),
  port: v.pipe(v.number(), v.integer(), v.minValue(1), v.maxValue(65_535)),
}
const socketTarget = { path: SocketPath }

const TcpService = v.strictObject({ ...name, ...tcpTarget })
const SocketService = v.strictObject({ ...name, ...socketTarget })

/** A service that this machine exposes. */
export const ExposedService = v.lazy((input) => (hasPath(input) ? SocketService : TcpService))
export type ExposedService = v.InferOutput<typeof ExposedService>

/** What is dialled for it. */
export const ExposedTarget = v.lazy((input) =>
  hasPath(input) ? v.strictObject(socketTarget) : v.strictObject(tcpTarget),
)

/** A service with all fields, as JSON has them. */
export type ListedService = { readonly name: string } & ListedTarget

export function listService(service: ExposedService): ListedService {
  return { name: service.name, ...listTarget(service) }
}

/** So that what is wrong with a service is said of that field. */
function hasPath(input: unknown): boolean {
  return typeof input === 'object' && input !== null && 'path' in input
}

/** Versions before that of the product know no Unix sockets, and say so of 2. */
const [VERSION, SOCKETS_VERSION] = [1, 2]

/** How many one agent may expose: their list, and a refusal of each, fit into one CTRL. */
export const MAX_SERVICES = 200

const ServicesFile = v.object({
  version: v.picklist([VERSION, SOCKETS_VERSION]),
  services: v.pipe(
    v.array(ExposedService),
    v.maxLength(MAX_SERVICES, `more than ${MAX_SERVICES} services`),
    v.check((list) => new Set(list.map(({ name }) => name)).size === list.length, 'two have the same name'),
  ),
})

/** @throws ConnectError SERVICES_DAMAGED, CONFIG_UNREADABLE, CONFIG_NEWER */
export function readServices(instance: AgentInstance): ExposedService[] {
  const file = readJson(instance.servicesFile, ServicesFile, {
    version: SOCKETS_VERSION,
    damaged: 'SERVICES_DAMAGED',
  })
  return file?.services ?? []
}

/**
 * Only the holder of the instance's lock writes, see control/process-record.ts.
 *
 * @throws ConnectError WRITE_FAILED
 */
export function writeServices(instance: AgentInstance, services: readonly ExposedService[]): void {
  const sorted = services.toSorted((a, b) => (a.name < b.name ? -1 : 1))
  const version = sorted.some(hasPath) ? SOCKETS_VERSION : VERSION
  writeFileAtomic(instance.servicesFile, `${JSON.stringify({ version, services: sorted }, null, 2)}\n`)
}

/** @returns the target that a service would replace; undefined if it had none, or the same */
export function targetBefore(services: readonly ExposedService[], added: ExposedService): Target | undefined {
  const before = services.find(({ name }) => name === added.name)
  if (!before || formatTarget(before) === formatTarget(added)) return undefined
  const { name: _, ...target } = before
  return target
}

/**
 * @returns the list with this service in it, in place of one of the same name
 * @throws ConnectError BAD_VALUE if there are too many
 */
export function withService(services: readonly ExposedService[], added: ExposedService): ExposedService[] {
  const list = [...services.filter(({ name }) => name !== added.name), added]
  if (list.length <= MAX_SERVICES) return list
  throw new ConnectError('BAD_VALUE', `One agent exposes ${MAX_SERVICES} services at most`, {
    hints: ['Take one back first: connect unexpose NAME'],
  })
}
