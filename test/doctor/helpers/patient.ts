import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished, vi } from 'vitest'
import { ensureInstanceFolder, writeConfig } from '../../../src/config/config.ts'
import { instanceFor, type AgentInstance } from '../../../src/config/instance.ts'
import type { Check } from '../../../src/doctor/check.ts'
import { doctorContext, type DoctorContext, type Patient } from '../../../src/doctor/context.ts'
import { mendAll } from '../../../src/doctor/mend.ts'
import { runChecks, type Checked } from '../../../src/doctor/run-checks.ts'
import { newKey } from '../../../src/hub-client/credential.ts'
import { background } from '../../../src/platforms/background/description.ts'
import type { Platform, PlatformDescription, PlatformStatus } from '../../../src/platforms/platform.ts'
import type { Chosen } from '../../../src/platforms/selection/chosen.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { root } from '../../helpers/cli.ts'

export const STOPPED: PlatformStatus = { state: 'stopped', installed: false, autostart: 'never' }
export const RUNNING: PlatformStatus = { state: 'running', pid: 4711, installed: true, autostart: 'boot' }

export interface Given {
  readonly home?: string
  readonly env?: NodeJS.ProcessEnv
  /** What keeps the daemon says so; default nothing is installed, and nothing runs. */
  readonly status?: PlatformStatus | (() => Promise<PlatformStatus>)
  readonly description?: Partial<PlatformDescription>
  readonly plan?: NonNullable<Platform['plan']>
  readonly chosen?: Partial<Chosen>
  readonly choosing?: Promise<Chosen>
}

/** A user with a home folder, and a service manager that says what a test has it say. */
export function patient(given: Given = {}): Patient {
  const home = given.home ?? path.join(scratchFolder(), 'home')
  mkdirSync(home, { recursive: true })
  vi.stubEnv('HOME', home)
  onTestFinished(() => void vi.unstubAllEnvs())
  const { status = STOPPED } = given
  const told = typeof status === 'function' ? status : async () => status
  const description = { ...background, ...given.description } as PlatformDescription
  const platform = { status: told, ...(given.plan && { plan: given.plan }) } as Platform
  const forInstall = async () => ({ description, reasons: [], problems: [] })
  const chosen = { description, reasons: [], problems: [], platform, forInstall, ...given.chosen }
  return {
    instance: instanceFor(undefined, home),
    home,
    env: given.env ?? {},
    root,
    version: '1.2.3',
    choosing: given.choosing ?? Promise.resolve(chosen),
    plugins: async () => ({ platforms: [], problems: [] }),
  }
}

export async function logIn(instance: AgentInstance): Promise<void> {
  ensureInstanceFolder({ ...instance, kind: 'hub' })
  writeConfig(
    { ...instance, kind: 'hub' },
    {
      agentId: 'agent_0123456789abcdef',
      label: 'ada',
      hub: 'https://hub.example.com',
      hubId: 'hub_0123456789abcdef',
      insecure: false,
      key: await newKey(),
    },
  )
}

export async function run(check: Check<DoctorContext>, who: Patient): Promise<Checked<DoctorContext>> {
  const options = { untilMs: performance.now() + 60_000 }
  const [checked] = await runChecks([check], doctorContext(who), options)
  return checked!
}

/** Mends what a check has found, and looks again. @returns what was done, and what is seen then */
export async function mend(
  check: Check<DoctorContext>,
  who: Patient,
): Promise<{ done: string | undefined; error: string | undefined; after: Checked<DoctorContext> }> {
  const [outcome] = await mendAll([await run(check, who)])
  return { done: outcome?.mended, error: outcome?.unmended, after: await run(check, who) }
}
