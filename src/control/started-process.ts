import type { Instance } from '../config/instance.ts'
import { ConnectError } from '../errors.ts'
import { identify } from '../process/identity.ts'
import { underInstanceLock } from './instance-lock.ts'
import { readProcessRecord, writeProcessRecord } from './process-record.ts'

/**
 * Records a process that was just started, until it does so itself: one that is slow, or hangs before it has
 * its lock, is found and can be stopped.
 *
 * @param command what it was started with: program and script
 */
export async function announceProcess(
  instance: Instance,
  pid: number,
  [node, script = '']: readonly [string, ...string[]],
): Promise<void> {
  const isRecorded = () => readProcessRecord(instance)?.pid === pid
  // It was quicker, and has the lock for good.
  if (isRecorded()) return
  // Now: one that has ended already is found only until Node.js hears of it, and its end is to be told, too.
  const started = identify(pid)
  const record = () => {
    if (!started || isRecorded()) return
    writeProcessRecord(instance, {
      ...started,
      nonce: process.getBuiltinModule('node:crypto').randomBytes(8).toString('hex'),
      mode: 'daemon',
      // It says so itself once it can.
      version: '',
      startedAt: new Date().toISOString(),
      configFile: instance.mainFile,
      node,
      script,
    })
  }
  try {
    await underInstanceLock(instance, record)
  } catch (error) {
    // What can't be written is no reason to fail: the process meets the same, and says so in its log.
    if (!(error instanceof ConnectError)) throw error
  }
}
