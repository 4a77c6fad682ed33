import { isatty } from 'node:tty'

/**
 * What other programs get told by: without a listener it would end this one. SIGXFSZ: see `ulimit -f`, a
 * write fails too.
 */
const FOR_OTHERS = ['SIGUSR2', 'SIGXFSZ'] as const

/**
 * Listens for what asks this process to end: SIGINT, SIGTERM, and SIGHUP if it was started at a terminal.
 * Elsewhere a SIGHUP is someone else's: `nohup` ignores it for us, but Node.js undoes that at its start, and
 * log rotation sends it.
 *
 * @param ended called once for each such signal; the next one of its kind ends the process at once
 * @returns stops listening
 */
export function onEndSignal(ended: (signal: NodeJS.Signals) => void): () => void {
  const isAtTerminal = hasTerminal()
  const ending: NodeJS.Signals[] = isAtTerminal ? ['SIGINT', 'SIGTERM', 'SIGHUP'] : ['SIGINT', 'SIGTERM']
  const ignored: NodeJS.Signals[] = isAtTerminal ? [...FOR_OTHERS] : [...FOR_OTHERS, 'SIGHUP']
  const ignore = () => {}
  for (const signal of ending) process.once(signal, ended)
  for (const signal of ignored) process.on(signal, ignore)
  return () => {
    for (const signal of ending) process.off(signal, ended)
    for (const signal of ignored) process.off(signal, ignore)
  }
}

/** nohup(1) of macOS leaves stdin as it was. */
function hasTerminal(): boolean {
  return (process.platform === 'darwin' ? [1, 2] : [0, 1, 2]).some((descriptor) => isatty(descriptor))
}
