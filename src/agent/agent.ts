import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { ensureInstanceFolder, hubOf, requireConfig, type Config } from '../config/config.ts'
import type { Instance } from '../config/instance.ts'
import { readServices, withService, writeServices, type ExposedService } from '../config/services.ts'
import { formatTarget } from '../config/target.ts'
import { noteOwnEnd } from '../control/agent-end.ts'
import { tryAgentLock } from '../control/agent-lock.ts'
import {
  ownIdentity,
  readAgentRecord,
  writeAgentRecord,
  type AgentEnd,
  type AgentIdentity,
  type AgentRecord,
} from '../control/agent-record.ts'
import type { AgentStatus, ExposeReply, ExposeRequest, UnexposeReply } from '../control/schema.ts'
import { startControlServer, type AgentControl } from '../control/server.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { isFatal } from '../fatal-errors.ts'
import type { FileLock } from '../files/lock.ts'
import { HubLink } from '../hub-client/hub-link.ts'
import type { Log } from '../log/log.ts'
import { isAlive } from '../process/identity.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { agentExitCode } from './exit-code.ts'
import { startHousekeeping } from './housekeeping.ts'
import { LoopGuard } from './loop-guard.ts'
import { serveStream, servedPorts } from './serve-stream.ts'

export interface AgentOptions {
  readonly instance: Instance
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub?: string | undefined
  readonly mode: AgentIdentity['mode']
  readonly version: string
  readonly log: Log
  /** Wait for as long as another agent runs: whoever keeps this one alive would only start it again. */
  readonly waitForOthers: boolean
  /** The lock is held: this process alone is the instance's agent now, and has said so in its record. */
  readonly onOwner?: (record: AgentRecord) => void
  /** Called now and then. */
  readonly onUpkeep?: () => void
  /** How often it looks after its files, in ms; default 1,000. */
  readonly upkeepMs?: number
}

const BRIEF_LOCK_MS = 2000

/**
 * The agent: holds the instance's lock, answers on its socket, keeps its link to the hub, and serves what is exposed,
 * until the signal says stop.
 *
 * @param signal its reason is the name of the signal that said stop
 * @throws ConnectError NOT_CONFIGURED, REVOKED and the like: a human must act; AGENT_RUNNING if another one runs
 */
export async function runAgent(options: AgentOptions, signal: AbortSignal): Promise<void> {
  const { instance, log } = options
  requireConfig(instance)
  ensureInstanceFolder(instance)
  const lock = await waitForLock(options, signal)
  if (signal.aborted) return lock?.release()
  if (!lock) throw new ConnectError('AGENT_RUNNING', 'Another agent is running')
  try {
    await runOwner(options, lock, signal)
    const name = String(signal.reason)
    noteEnd(instance, log, { reason: `stopped by ${name}`, code: null, signal: name, fix: null })
  } catch (error) {
    const fix = isFatal(error) ? ((error as ConnectError).hints[0] ?? null) : null
    noteEnd(instance, log, { reason: messageOf(error), code: agentExitCode(error), signal: null, fix })
    throw error
  } finally {
    lock.release()
  }
}

/** With the lock held, so that nobody else writes the instance's files. */
async function runOwner(options: AgentOptions, lock: FileLock, signal: AbortSignal): Promise<void> {
  const { instance, mode, version, log } = options
  const identity: AgentIdentity = {
    ...ownIdentity(),
    nonce: randomBytes(8).toString('hex'),
    mode,
    version,
    startedAt: new Date().toISOString(),
    configFile: instance.configFile,
  }
  const record = writeAgentRecord(instance, identity)
  options.onOwner?.(record)
  log('🚀 Starting Private Connect Agent...')
  // Only now: until the lock was ours, a command may have written them.
  const config = requireConfig(instance)
  const hub = hubOf(config, options.hub)
  const services = readServices(instance)
  if (config.insecure)
    log('[!] The hub is reached over plain http: anyone on the way can read the traffic', 'warn')
  const agent = new Agent({ ...config, hub }, services, identity, options)
  const control = await startControlServer(instance, agent)
  const hold = async () => {
    if (!(await lock.look())) refuseAnother(instance)
    await control.look()
    agent.holdServices()
  }
  const { upkeepMs, onUpkeep } = options
  const housekeeping = startHousekeeping({ instance, record, log, everyMs: upkeepMs, hold, onTick: onUpkeep })
  try {
    await agent.run(AbortSignal.any([signal, housekeeping.givenUp]))
    if (!signal.aborted) housekeeping.givenUp.throwIfAborted()
  } finally {
    housekeeping.stop()
    await control.close()
  }
}

/**
 * Someone deleted the lock's file, and another process has locked the new one: a command, for a moment, or another agent.
 *
 * @throws ConnectError AGENT_RUNNING
 */
function refuseAnother(instance: Instance): void {
  const other = recordedOther(instance)
  if (!other) return
  const message = `${instance.lockFile} was deleted, and another agent has begun (PID: ${other.pid})`
  throw new ConnectError('AGENT_RUNNING', message)
}

/** Another agent that lives, and whose the record is. */
function recordedOther(instance: Instance): AgentRecord | undefined {
  const record = readAgentRecord(instance)
  const isOther = record && !record.end && record.pid !== process.pid && isAlive(record)
  return isOther ? record : undefined
}

/** For `daemon status`. A full disk costs this note, and not the good order of the end. */
function noteEnd(instance: Instance, log: Log, end: Omit<AgentEnd, 'at'>): void {
  try {
    if (!recordedOther(instance)) noteOwnEnd(instance, end)
  } catch (error) {
    log(`[!] ${messageOf(error)}`, 'warn')
  }
}

/** A command holds the lock for a moment while it edits the services; another agent holds it for as long as it runs. */
async function waitForLock(options: AgentOptions, signal: AbortSignal): Promise<FileLock | undefined> {
  const ask = () => tryAgentLock(options.instance)
  const soon = await waitFor(ask, { timeoutMs: BRIEF_LOCK_MS, signal })
  if (soon || !options.waitForOthers) return soon
  options.log('Waiting for another agent of this instance to end', 'warn')
  return waitFor(ask, { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 1000, signal })
}

/** What is exposed, and the link it is exposed over. */
class Agent implements AgentControl {
  readonly #config: Config
  readonly #identity: AgentIdentity
  readonly #options: AgentOptions
  readonly #link: HubLink
  readonly #guard: LoopGuard
  #services: ReadonlyMap<string, ExposedService>
  /** Offers again what the hub could not save. */
  #again: NodeJS.Timeout | undefined

  constructor(
    config: Config,
    services: readonly ExposedService[],
    identity: AgentIdentity,
    options: AgentOptions,
  ) {
    this.#config = config
    this.#identity = identity
    this.#options = options
    this.#services = byName(services)
    this.#guard = new LoopGuard(config, options.instance, options.log)
    this.#link = new HubLink({
      config,
      role: 'agent',
      version: options.version,
      log: options.log,
      onStream: (stream) => serveStream(stream, this.#services, options.log, this.#guard),
      onConnected: () => void this.#offerAll(),
    })
  }

  async run(signal: AbortSignal): Promise<void> {
    try {
      await this.#link.run(signal)
    } finally {
      this.#guard.stop()
    }
  }

  status(): AgentStatus {
    const { agentId, label, hub } = this.#config
    const { state } = this.#link
    return {
      agent: this.#identity,
      agentId,
      label,
      hubUrl: hub,
      hub: { ...state, since: new Date(state.since).toISOString() },
      services: [...this.#services.values()],
      streams: this.#link.streamCount,
    }
  }

  hopsOf(port: number): number | undefined {
    return servedPorts.get(port)
  }

  async expose(name: string, request: ExposeRequest): Promise<ExposeReply> {
    const before = [...this.#services.values()]
    const after = withService(before, { name, ...request })
    this.#save(after)
    const refused = await this.#link.offer(after)
    const refusal = refused?.find((refusedOne) => refusedOne.name === name)
    if (refusal) {
      // Other calls may have come in between: only this name is taken back.
      const others = [...this.#services.values()].filter((service) => service.name !== name)
      const previous = before.filter((service) => service.name === name)
      this.#save([...others, ...previous])
      throw refusal.error === undefined
        ? new ConnectError('NAME_TAKEN', `"${name}" is already ${refusal.message}`)
        : new ConnectError('HUB_ERROR', `"${name}" is not exposed: ${refusal.message}`)
    }
    if (refused) {
      this.#options.log(`[ok] Exposing ${name} (${formatTarget(request)})`)
      return { confirmed: true }
    }
    const { state } = this.#link
    return {
      confirmed: false,
      reason: state.state === 'retrying' ? state.reason : 'not connected to the hub yet',
    }
  }

  async unexpose(name: string): Promise<UnexposeReply> {
    const removed = this.#services.has(name)
    this.#save([...this.#services.values()].filter((service) => service.name !== name))
    await this.#link.offer([...this.#services.values()])
    if (removed) this.#options.log(`No longer exposing ${name}`)
    return { removed, streams: this.#link.streamCountOf(name) }
  }

  /** What is exposed is to be so after a restart, too. @throws ConnectError WRITE_FAILED */
  holdServices(): void {
    const services = [...this.#services.values()]
    if (services.length > 0 && !existsSync(this.#options.instance.servicesFile)) this.#save(services)
  }

  #save(services: readonly ExposedService[]): void {
    writeServices(this.#options.instance, services)
    this.#services = byName(services)
  }

  #offerAgain(): void {
    clearTimeout(this.#again)
    this.#again = setTimeout(() => {
      if (this.#link.state.state === 'connected') void this.#offerAll()
    }, OFFER_AGAIN_MS)
    this.#again.unref()
  }

  async #offerAll(): Promise<void> {
    const { log } = this.#options
    const services = [...this.#services.values()]
    const refused = await this.#link.offer(services)
    if (!refused) return log('[!] The hub has not confirmed what is exposed here', 'warn')
    for (const { name, error, message } of refused)
      log(`[!] ${name} is not offered: ${error === undefined ? `it is ${message}` : message}`, 'warn')
    // What the hub can't save may go another time; a name that someone has stays theirs.
    if (refused.some(({ error }) => error !== undefined)) this.#offerAgain()
    const offered = services.filter(({ name }) => !refused.some((refusal) => refusal.name === name))
    const shown = offered.map((service) => `${service.name} (${formatTarget(service)})`)
    if (shown.length > 0) log(`[ok] Exposing ${shown.join(', ')}`)
  }
}

/** How long until what the hub could not save is offered again, in ms. */
const OFFER_AGAIN_MS = 30_000

function byName(services: readonly ExposedService[]): ReadonlyMap<string, ExposedService> {
  return new Map(services.map((service) => [service.name, service]))
}
