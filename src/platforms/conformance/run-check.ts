import { messageOf } from '../../errors.ts'
import { apartChecks } from './checks/apart.ts'
import type { Check } from './checks/check.ts'
import { crashChecks, restartChecks } from './checks/crash.ts'
import { emptyChecks, notInstallableChecks } from './checks/empty.ts'
import { installChecks } from './checks/install.ts'
import { startChecks } from './checks/start.ts'
import { stopChecks } from './checks/stop.ts'
import type { ConformanceOptions } from './harness/options.ts'
import { Sandbox } from './harness/sandbox.ts'
import type { TestHub } from './harness/test-hub.ts'

/** The checks that apply: one that does not is left out, and not passed. */
export function checksFor({ installable = true, kind = 'agent' }: ConformanceOptions): readonly Check[] {
  const checks = [
    ...emptyChecks,
    ...startChecks,
    ...stopChecks,
    ...apartChecks,
    ...(installable ? [...installChecks, ...restartChecks] : [...notInstallableChecks, ...crashChecks]),
  ]
  return checks.filter(({ only = kind }) => only === kind)
}

/** @throws Error that names the promise which was broken, or what could not be cleaned up */
export async function runCheck(
  check: Check,
  hub: TestHub | undefined,
  options: ConformanceOptions,
): Promise<void> {
  const sandbox = new Sandbox(hub, options, check.home)
  const failures: unknown[] = []
  try {
    await check.prove(sandbox)
  } catch (error) {
    failures.push(error)
  }
  failures.push(...(await sandbox.end()))
  if (failures.length > 1) throw new AggregateError(failures, failures.map(messageOf).join('\n'))
  if (failures.length === 1) throw failures[0]
}
