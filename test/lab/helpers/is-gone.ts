import { identify } from '../../../src/process/identity.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'

/** Waits until a process runs no more. @throws Error if it still does after 30 s */
export async function isGone(pid: number): Promise<void> {
  const gone = await waitFor(() => (identify(pid) ? undefined : true), { timeoutMs: 30_000 })
  if (!gone) throw new Error(`process ${pid} is still there`)
}
