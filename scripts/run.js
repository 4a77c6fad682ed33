import { spawn } from 'node:child_process'
import process from 'node:process'
import { isatty } from 'node:tty'

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP']

/**
 * Runs a program to its end, and passes on the signals that this process gets meanwhile.
 *
 * @returns the program's exit code or the signal that ended it, neither if it could not be run; and the
 * signal that was passed on
 */
export async function run(command, args, options) {
  // A terminal sends Ctrl-C to all processes: passed on, it would come twice, which many take for "at once".
  const inTerminal = [0, 1, 2].some((descriptor) => isatty(descriptor))
  const child = spawn(command, args, { ...options, shell: process.platform === 'win32' && command === 'npm' })
  let told
  const pass = (signal) => {
    told = signal
    if (signal === 'SIGTERM' || !inTerminal) child.kill(signal)
  }
  for (const signal of SIGNALS) process.on(signal, pass)
  const end = await new Promise((resolve) => {
    child.on('error', (error) => {
      console.error(`[x] Could not run ${command}: ${error.message}`)
      resolve({})
    })
    child.on('exit', (code, signal) => resolve({ code, signal }))
  })
  for (const signal of SIGNALS) process.off(signal, pass)
  return { ...end, told }
}

/** Ends this process as another has ended: by the same signal, or with the same exit code. */
export function endLike({ code, signal }) {
  if (signal) process.kill(process.pid, signal)
  else process.exit(code ?? 1)
}
