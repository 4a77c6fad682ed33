import type { HubInstance } from '../config/hub/hub-instance.ts'
import type { HubStatus } from '../hub/control/schema.ts'
import { lookIntoDatabase, type DatabaseLook } from '../hub/backup/look-into.ts'
import type { HubReport } from '../tasks/machine/hub-here.ts'
import type { NextStep } from '../tasks/machine/next-step.ts'
import { restsOn, Skipped } from './way/skipped.ts'

/** What the checks of a hub on this machine look at. */
export interface HubHereContext {
  /** @throws ConnectError as hubReport */
  hubReport(): Promise<HubReport>
  /** What is in its database; undefined if it has none. */
  hubData(): Promise<DatabaseLook | undefined>
  /** What has it run. @throws ConnectError as startStep */
  startStep(instance: HubInstance): Promise<NextStep>
}

/** Reads the database of the hub here. @throws as lookIntoDatabase, and as hubReport */
export async function lookIntoHub(report: Promise<HubReport>): Promise<DatabaseLook | undefined> {
  const { instance } = await report
  return lookIntoDatabase(instance.dataFolder)
}

/** The hub here, running or not. @throws Skipped where there is none */
export async function requireHub(context: HubHereContext): Promise<HubReport> {
  const report = await context.hubReport()
  if (report.hub.state === 'none') throw new Skipped('No hub is kept on this machine')
  return report
}

/** What the hub says of itself. @throws Skipped unless it says something */
export async function requireHubStatus(
  context: HubHereContext,
): Promise<{ status: HubStatus; instance: HubInstance }> {
  const { said, instance } = await quietly(() => requireHub(context))
  if (!said?.status) throw new Skipped('Not looked at, since the hub does not run, or does not answer')
  return { status: said.status, instance }
}

/** What keeps the hub from being known at all, one check tells. @throws Skipped in its place */
export function quietly<T>(look: () => Promise<T>): Promise<T> {
  return restsOn(look, 'Not looked at, since the hub can’t be looked at')
}
