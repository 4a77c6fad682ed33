import { randomBytes } from 'node:crypto'
import { ensureInstanceFolder, hubOf, requireConfig } from '../config/config.ts'
import type { AgentInstance } from '../config/instance.ts'
import { readReaches } from '../config/reaches.ts'
import { readServices } from '../config/services.ts'
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
import { startControlServer } from '../control/server.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { isFatal } from '../fatal-errors.ts'
import type { FileLock } from '../files/lock.ts'
import type { Log } from '../log/log.ts'
import { isAlive } from '../process/identity.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import { waitFor } from '../runtime/wait-for.ts'
import { agentExitCode } from './exit-code.ts'
import { startHousekeeping } from './housekeeping.ts'
import { ServiceHost, type ServiceHostOptions } from './service-host.ts'

export interface AgentOptions extends ServiceHostOptions {
  /** The value of --hub or CONNECT_HUB_URL. */
  readonly hub?: string | undefined
  readonly mode: AgentIdentity['mode']
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
 * The agent: holds the instance's lock, answers on its socket, keeps its link to the hub, and serves what is
 * exposed, until the signal says stop.
 *
 * @param signal its reason is the name of the signal that said stop
 * @throws ConnectError NOT_CONFIGURED, REVOKED and the like: a human must act; AGENT_RUNNING if
 * another one runs
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
  const exposure = { services: readServices(instance), reaches: readReaches(instance) }
  if (config.insecure)
    log('[!] The hub is reached over plain http: anyone on the way can read the traffic', 'warn')
  const host = new ServiceHost({ ...config, hub }, exposure, identity, options)
  const control = await startControlServer(instance, host)
  const hold = async () => {
    if (!(await lock.look())) refuseAnother(instance)
    await control.look()
    host.holdFiles()
  }
  const { upkeepMs, onUpkeep } = options
  const housekeeping = startHousekeeping({ instance, record, log, everyMs: upkeepMs, hold, onTick: onUpkeep })
  adaptToLoad()
  try {
    await host.run(AbortSignal.any([signal, housekeeping.givenUp]))
    if (!signal.aborted) housekeeping.givenUp.throwIfAborted()
  } finally {
    housekeeping.stop()
    await control.close()
  }
}

/**
 * Someone deleted the lock's file, and another process has locked the new one: a command, for a moment,
 * or another agent.
 *
 * @throws ConnectError AGENT_RUNNING
 */
function refuseAnother(instance: AgentInstance): void {
  const other = recordedOther(instance)
  if (!other) return
  const message = `${instance.lockFile} was deleted, and another agent has begun (PID: ${other.pid})`
  throw new ConnectError('AGENT_RUNNING', message)
}

/** Another agent that lives, and whose the record is. */
function recordedOther(instance: AgentInstance): AgentRecord | undefined {
  const record = readAgentRecord(instance)
  const isOther = record && !record.end && record.pid !== process.pid && isAlive(record)
  return isOther ? record : undefined
}

/** For `daemon status`. A full disk costs this note, and not the good order of the end. */
function noteEnd(instance: AgentInstance, log: Log, end: Omit<AgentEnd, 'at'>): void {
  try {
    if (!recordedOther(instance)) noteOwnEnd(instance, end)
  } catch (error) {
    log(`[!] ${messageOf(error)}`, 'warn')
  }
}

/**
 * A command holds the lock for a moment while it edits the services; another agent holds it for as long
 * as it runs.
 */
async function waitForLock(options: AgentOptions, signal: AbortSignal): Promise<FileLock | undefined> {
  const ask = () => tryAgentLock(options.instance)
  const soon = await waitFor(ask, { timeoutMs: BRIEF_LOCK_MS, signal })
  if (soon || !options.waitForOthers) return soon
  options.log('Waiting for another agent of this instance to end', 'warn')
  return waitFor(ask, { timeoutMs: Number.POSITIVE_INFINITY, everyMs: 1000, signal })
}
