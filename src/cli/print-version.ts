import { existsSync, readFileSync } from 'node:fs'
import { codeOf } from '../errors.ts'

/**
 * Prints what oclif prints for --version, in half the time.
 *
 * @returns false where only oclif can tell: it says `wsl` in place of `linux` where it finds itself in WSL
 */
export function printVersion({ name, version }: { name: string; version: string }): boolean {
  if (process.platform === 'linux' && mayBeWsl()) return false
  const arch = process.arch === 'ia32' ? 'x86' : process.arch
  process.stdout.once('error', (error) => {
    // Who closes a pipe has read enough.
    if (codeOf(error) !== 'EPIPE') void import('./fail-at-start.ts').then((it) => it.failAtStart(error))
  })
  process.stdout.write(`${name}/${version} ${process.platform}-${arch} node-${process.version}\n`)
  return true
}

/** By the signs that the package is-wsl goes by. */
function mayBeWsl(): boolean {
  if (['/proc/sys/fs/binfmt_misc/WSLInterop', '/run/WSL'].some((sign) => existsSync(sign))) return true
  try {
    return /microsoft/i.test(readFileSync('/proc/version', 'latin1'))
  } catch {
    return true
  }
}
