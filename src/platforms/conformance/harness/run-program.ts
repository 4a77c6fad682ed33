import { mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { describeExit, spawnDetached } from '../../../process/spawn-detached.ts'
import { withDeadline } from '../../../runtime/deadline.ts'

const TIMEOUT_MS = 60_000

/** Runs a program to its end. @returns what it printed @throws Error unless it exits 0 */
export async function runProgram(
  command: readonly [string, ...string[]],
  env: NodeJS.ProcessEnv,
): Promise<string> {
  const cwd = mkdtempSync(path.join(tmpdir(), 'pc-'))
  try {
    const logFile = path.join(cwd, 'output')
    const { pid, exited } = await spawnDetached({ command, env, cwd, logFile })
    const exit = await withDeadline(
      () => exited,
      TIMEOUT_MS,
      () => {
        process.kill(pid, 'SIGKILL')
        return new Error(`${command.join(' ')} took longer than ${TIMEOUT_MS / 1000} s`)
      },
    )
    const output = readFileSync(logFile, 'utf8')
    if (exit.code !== 0) throw new Error(`${command.join(' ')} ${describeExit(exit)}:\n${output}`)
    return output
  } finally {
    rmSync(cwd, { recursive: true, force: true })
  }
}
