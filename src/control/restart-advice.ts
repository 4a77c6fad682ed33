import type { Instance } from '../config/instance.ts'
import { wordsOf } from '../config/kind.ts'
import { ConnectError } from '../errors.ts'
import { readProcessRecord, type ProcessRecord } from './process-record.ts'

/** What is to be started anew; without a record it is taken to be kept alive. */
type Restarted = Pick<Instance, 'kind'> & Partial<Pick<Instance, 'recordFile'>>

/** What starts an agent or a hub anew, a sentence. The command for that minds only one that is kept alive. */
export function restartAdvice({ kind, recordFile }: Restarted): string {
  const record = recordFile === undefined ? undefined : readIfPossible(recordFile)
  return adviceFor({ kind }, record)
}

/** The same where it is known how it runs. */
export function adviceFor(
  { kind }: Pick<Instance, 'kind'>,
  runs: { readonly mode: ProcessRecord['mode'] | null; readonly pid: number | null } | undefined,
): string {
  return runs?.mode === 'foreground'
    ? `End it with Ctrl-C where it runs (PID: ${runs.pid}), and start it there again.`
    : `Run: ${wordsOf({ kind }).command} restart`
}

/** The advice goes with another error, which is the one to be told. */
function readIfPossible(recordFile: string): ProcessRecord | undefined {
  try {
    return readProcessRecord({ recordFile })
  } catch (error) {
    if (error instanceof ConnectError) return undefined
    throw error
  }
}
