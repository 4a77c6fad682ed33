import { codeOf } from '../errors.ts'
import { endGroup, endGroupWithUs } from './process-group.ts'

/** What became of a program that was run for its answer. */
export interface RunResult {
  /**
   * `missing`: there is no such program. `timed out`: it gave no answer in time, and was ended; what it
   * did is unknown.
   */
  readonly outcome: 'exited' | 'timed out' | 'missing'
  /** The exit code; null if it did not exit by itself. */
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** Characters kept of an answer, more than any needs: what comes after them is dropped. */
const MAX_OUTPUT = 1024 * 1024

/**
 * Runs a program of the system for its answer: by a list of arguments, without a shell, without input, and
 * not for ever.
 *
 * @param options.cwd default this process's
 * @param options.timeoutMs default 10,000
 * @param options.ownGroup runs it in a session of its own, where it can ask nothing on a terminal; all that
 * it has started ends with it at the deadline, and when a signal ends this process. Not for what may have to
 * ask (sudo, polkit). Default false; on Windows without effect
 * @throws Error if it can't be run for another reason than that it is missing
 */
export async function run(
  command: readonly [string, ...string[]],
  options: { env: NodeJS.ProcessEnv; cwd?: string; timeoutMs?: number; ownGroup?: boolean },
): Promise<RunResult> {
  const [program, ...args] = command
  const { env, cwd } = options
  const ownGroup = options.ownGroup === true && process.platform !== 'win32'
  // Whether there is a service manager is asked without one, too, and this takes a while to load.
  const { spawn } = process.getBuiltinModule('node:child_process')
  const withUs = ownGroup ? endGroupWithUs() : undefined
  const child = spawn(program, args, { env, cwd, stdio: ['ignore', 'pipe', 'pipe'], detached: ownGroup })
  if (withUs) withUs.leader = child
  const output = { stdout: '', stderr: '' }
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (text: string) => {
      if (output[name].length < MAX_OUTPUT) output[name] += text
    })
  }
  const { promise, resolve, reject } = Promise.withResolvers<RunResult>()
  const end = async () => {
    // That it ends now is no answer.
    child.removeAllListeners('close')
    if (ownGroup) await endGroup(child)
    else child.kill('SIGKILL')
    // A child of the program may hold the pipes open for ever.
    for (const stream of [child.stdout, child.stderr]) stream.destroy()
    resolve({ outcome: 'timed out', code: null, ...output })
  }
  const timer = setTimeout(() => void end().catch(reject), options.timeoutMs ?? 10_000)
  child.once('error', (error) => {
    if (codeOf(error) === 'ENOENT') resolve({ outcome: 'missing', code: null, ...output })
    else reject(error)
  })
  child.once('close', (code) => resolve({ outcome: 'exited', code, ...output }))
  try {
    return await promise
  } finally {
    clearTimeout(timer)
    // Nobody is told of an answer that a signal has cut short.
    await withUs?.ending
    withUs?.stop()
  }
}

/** @returns `gave no answer`, `failed: …`: what follows the name of the command */
export function describeResult({ outcome, code, stdout, stderr }: RunResult): string {
  if (outcome === 'missing') return 'can’t be run: there is no such program'
  if (outcome === 'timed out') return 'gave no answer in time'
  const said = (stderr.trim() || stdout.trim()).split('\n')[0]
  return said ? `failed: ${said}` : `failed with exit code ${code}`
}
