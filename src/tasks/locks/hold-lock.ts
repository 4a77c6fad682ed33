import type { Instance } from '../../config/instance.ts'
import { wordsOf } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import type { FileLock } from '../../files/lock.ts'
import { waitFor } from '../../runtime/wait-for.ts'

/** The longest that another command may take, in ms. */
const TIMEOUT_MS = 60_000

/**
 * Runs an action while this command alone holds a lock, which it waits for.
 *
 * @param take undefined while another has it
 * @param options.writes without: an action that only ends things, which also works where there can be no lock
 * @param options.busy that another has it: one sentence without a full stop
 * @throws ConnectError AGENT_BUSY, HUB_BUSY if another takes too long, WRITE_FAILED
 */
export async function holdLock<T>(
  instance: Instance,
  take: () => Promise<FileLock | undefined>,
  action: () => Promise<T>,
  { writes, busy }: { writes: boolean; busy: string },
): Promise<T> {
  const lock = await waitFor(() => (writes ? take() : take().catch(withoutLock)), { timeoutMs: TIMEOUT_MS })
  if (!lock) {
    throw new ConnectError(wordsOf(instance).errors.busy, busy, {
      hints: ['Wait for it, or end it, then try again.'],
    })
  }
  try {
    return await action()
  } finally {
    lock.release()
  }
}

/** The disk is full or read-only, or the lock file is damaged. */
function withoutLock(error: unknown): FileLock {
  if (error instanceof ConnectError && error.code === 'WRITE_FAILED')
    return { look: async () => true, release() {} }
  throw error
}
