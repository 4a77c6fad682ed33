import { createInterface } from 'node:readline/promises'
import { Writable } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import { ConnectError } from '../../errors.ts'

/** How long the lines of one paste may be apart, in ms. */
const PASTE_MS = 100

/**
 * Asks on the terminal without showing what is typed.
 *
 * @returns all lines of a paste: the rest of a wrapped secret would be left to the shell, and its history
 * @throws ConnectError TOKEN_MISSING
 */
export async function askSecretly(question: string): Promise<string> {
  const mute = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: process.stdin, output: mute, terminal: true })
  // Asked only now: a key that comes before the terminal is ours is lost, and is shown.
  process.stderr.write(question)
  // Without a listener readline only pauses on Ctrl-C, and the command would end as if nothing was wrong.
  lines.on('SIGINT', () => {
    process.stderr.write('\n')
    process.exit(130)
  })
  const typed: string[] = []
  const closed = new AbortController()
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>()
  lines.on('line', (line) => {
    typed.push(line)
    begin()
  })
  // Ctrl-D, or the terminal is gone.
  lines.once('close', () => {
    closed.abort()
    begin()
  })
  try {
    await begun
    // The last line of a paste has no line break: it waits for Enter.
    for (let seen = 0; !closed.signal.aborted && (typed.length > seen || lines.line !== '');) {
      seen = typed.length
      await sleep(PASTE_MS)
    }
    if (typed.length === 0) throw new ConnectError('TOKEN_MISSING', 'No invite or join token was typed')
    return typed.join('\n')
  } finally {
    lines.close()
    process.stderr.write('\n')
  }
}
