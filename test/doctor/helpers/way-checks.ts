import type { Config } from '../../../src/config/config.ts'
import type { Check, Finding } from '../../../src/doctor/check.ts'
import { clock } from '../../../src/doctor/checks/hub/clock.ts'
import { credential } from '../../../src/doctor/checks/hub/credential.ts'
import { versions } from '../../../src/doctor/checks/hub/versions.ts'
import { dns } from '../../../src/doctor/checks/network/dns.ts'
import { hubAnswer } from '../../../src/doctor/checks/network/hub-answer.ts'
import { proxy } from '../../../src/doctor/checks/network/proxy.ts'
import { tcp } from '../../../src/doctor/checks/network/tcp.ts'
import { tlsChain } from '../../../src/doctor/checks/network/tls-chain.ts'
import { tlsExpiry } from '../../../src/doctor/checks/network/tls-expiry.ts'
import { websocket } from '../../../src/doctor/checks/network/websocket.ts'
import { runChecks } from '../../../src/doctor/run-checks.ts'
import { HubWay } from '../../../src/doctor/way/hub-way.ts'

/** What the checks of the way to the hub are given. */
export interface WayOf {
  readonly config: Config
  readonly stageMs?: number
  /** Of this program. */
  readonly version?: string
}

const CHECKS = [
  dns,
  tcp,
  proxy,
  tlsChain,
  tlsExpiry,
  hubAnswer,
  websocket,
  credential,
  versions,
  clock,
] as const

/** All checks of the way to a hub, side by side, as doctor runs them. @returns what each has found */
export async function runWayChecks({ config, stageMs, version = '0.1.0' }: WayOf) {
  const way = new HubWay(config, stageMs)
  const context = { way: async () => way, agent: async () => undefined, version }
  return runAll(CHECKS, context)
}

/** @returns what each has found, by its name, as `state: seen` and the fix */
export async function runAll<Context>(
  checks: readonly Check<Context>[],
  context: Context,
): Promise<Record<string, Finding>> {
  const all = await runChecks(checks, context, { untilMs: performance.now() + 60_000 })
  return Object.fromEntries(all.map(({ check, ...found }) => [check.name, found]))
}

/** The names of the checks that are in each state. */
export function byState(found: Record<string, Finding>): Partial<Record<Finding['state'], string[]>> {
  const states: Partial<Record<Finding['state'], string[]>> = {}
  for (const [name, { state }] of Object.entries(found)) (states[state] ??= []).push(name)
  return states
}
