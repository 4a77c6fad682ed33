import { spawn } from 'node:child_process'
import { RunningCli, type CliResult } from '../../helpers/cli.ts'

export interface RunOptions {
  readonly env?: NodeJS.ProcessEnv
  readonly cwd?: string
  /** What stdin holds; default nothing. */
  readonly input?: string
  readonly uid?: number
  readonly gid?: number
  /** Without a terminal, in a session of its own. */
  readonly detached?: boolean
  /** Ends it by SIGKILL, and fails the test; default 60 s. */
  readonly timeoutMs?: number
}

/** Starts any program, to go on while the test does. */
export function start(program: string, args: readonly string[], options: RunOptions = {}): RunningCli {
  const { input, timeoutMs: _, ...spawnOptions } = options
  const child = spawn(program, args, { ...spawnOptions, stdio: ['pipe', 'pipe', 'pipe'] })
  child.stdin.on('error', () => {})
  child.stdin.end(input ?? '')
  return new RunningCli(child, `beside ${program}`)
}

/** Runs any program to its end. */
export async function run(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<CliResult> {
  const running = start(program, args, options)
  const tooLong = Promise.withResolvers<never>()
  const timer = setTimeout(() => {
    running.kill('SIGKILL')
    // Not left to its end: a child that it leaves behind may hold its output open for ever.
    tooLong.reject(new Error(`${program} took too long:\n${running.output}`))
  }, options.timeoutMs ?? 60_000)
  try {
    const exit = await Promise.race([running.exited, tooLong.promise])
    return { ...exit, stdout: running.stdout, stderr: running.stderr }
  } finally {
    clearTimeout(timer)
  }
}

/** Runs it and throws unless it exits 0. @returns stdout */
export async function runOk(
  program: string,
  args: readonly string[],
  options: RunOptions = {},
): Promise<string> {
  const { code, signal, stdout, stderr } = await run(program, args, options)
  if (code !== 0) {
    throw new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}:\n${stdout}${stderr}`)
  }
  return stdout
}
