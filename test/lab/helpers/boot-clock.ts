import type { Machine } from './machine.ts'
import { asRoot } from './systemd-scene.ts'

/** When the manager of the machine's user began to start, in ms of the clock that all machines share. */
export async function managerStartedAt(machine: Machine): Promise<number> {
  const property = '--property=InactiveExitTimestampMonotonic'
  const line = await machine.runOk(['systemctl', 'show', 'user@1000.service', property, '--value'], asRoot)
  if (!(Number(line) > 0)) throw new Error(`nobody has a manager on ${machine.name}`)
  return Number(line) / 1000
}

export function monotonicMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n)
}
