import { existsSync } from 'node:fs'
import type { Instance } from '../config/instance.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { readAgentRecord, restoreAgentRecord, type AgentRecord } from '../process/agent-record.ts'
import type { Log } from '../log/log.ts'

export interface Upkeep {
  /** Aborted with a ConnectError once there is nothing left to run for. */
  readonly givenUp: AbortSignal
  stop(): void
}

/**
 * Looks after what the agent needs while it runs: its record, if someone has deleted it; its program and its config,
 * without which it could never be started again. Those are missed only when gone twice: an upgrade takes them away for
 * a moment.
 *
 * @param options.everyMs default 30,000
 */
export function startUpkeep(options: {
  instance: Instance
  record: AgentRecord
  log: Log
  everyMs?: number | undefined
  onTick?: (() => void) | undefined
}): Upkeep {
  const { instance, record, log } = options
  const giveUp = new AbortController()
  const needed = [record.script, instance.configFile]
  let missing: string[] = []
  const look = () => {
    const gone = needed.filter((file) => !existsSync(file))
    const still = gone.find((file) => missing.includes(file))
    if (still !== undefined) {
      giveUp.abort(new ConnectError('PROGRAM_GONE', `${still} was deleted while the agent ran`))
      return
    }
    missing = gone
    try {
      if (gone.length === 0 && readAgentRecord(instance)?.nonce !== record.nonce)
        restoreAgentRecord(instance, record)
      options.onTick?.()
    } catch (error) {
      log(`[!] ${messageOf(error)}`, 'warn')
    }
  }
  const timer = setInterval(look, options.everyMs ?? 30_000)
  timer.unref()
  return { givenUp: giveUp.signal, stop: () => clearInterval(timer) }
}
