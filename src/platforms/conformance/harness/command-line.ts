import { readFileSync } from 'node:fs'
import { runProgram } from './run-program.ts'

/**
 * The arguments that a process runs with, as far as the system tells where one ends; undefined if the
 * process is gone.
 */
export async function commandLineOf(pid: number): Promise<string | undefined> {
  try {
    if (process.platform === 'linux') {
      return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replace(/\0$/, '')
    }
    const line = await runProgram(['/bin/ps', '-ww', '-o', 'args=', '-p', String(pid)], process.env)
    return line.trimEnd()
  } catch {
    return undefined
  }
}

/** A command in the same form, to be compared with such a line. */
export function asCommandLine(command: readonly string[]): string {
  return command.join(process.platform === 'linux' ? '\0' : ' ')
}
