/**
 * Runs an action to its end though the terminal goes away: `daemon restart` in a shell that the daemon itself
 * carries would otherwise die between stop and start. Ctrl-C still ends it.
 */
export async function ignoreHangup<T>(action: () => Promise<T>): Promise<T> {
  process.on('SIGHUP', ignore)
  // Once each, however many actions there are in a process.
  for (const stream of [process.stdout, process.stderr]) stream.off('error', ignore).on('error', ignore)
  try {
    return await action()
  } finally {
    process.off('SIGHUP', ignore)
    // The listeners stay: what the command prints at its end goes to the same terminal.
  }
}

function ignore(): void {}
