import type { Readable, Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ConnectError, messageOf } from '../errors.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import type { StreamDuplex } from '../tunnel/stream/stream-duplex.ts'
import { clientLink, type ClientLinkOptions } from './client-link.ts'
import { Dialer } from './dialer.ts'

export interface StdioOptions extends Pick<ClientLinkOptions, 'config' | 'version' | 'resumeMs'> {
  /** The service's name. */
  readonly name: string
  readonly input: Readable
  readonly output: Writable
  /** Gets the few lines that a person may want to know meanwhile. */
  readonly tell: (line: string) => void
  /** How long the hub may be away at the start, in ms; default 15,000. */
  readonly holdMs?: number
}

const HOLD_MS = 15_000

/**
 * Carries an input to a service and its answer to an output, each to its own end, over a link of its own. The
 * service isn't looked up before: that would be one more connection to the hub.
 *
 * @throws ConnectError HUB_UNREACHABLE, REVOKED, SERVICE_UNKNOWN, AGENT_OFFLINE, TARGET_UNREACHABLE,
 * CONNECTION_RESET, STDIO_FAILED; nothing if the signal says stop
 */
export async function carryStdio(options: StdioOptions, signal: AbortSignal): Promise<void> {
  const { config, version, name, resumeMs, holdMs = HOLD_MS } = options
  let isQuiet = false
  // Only why it doesn't begin: a terminal shows something else by then.
  const log = (text: string, level?: string) => {
    if (level === 'warn' && !isQuiet) options.tell(`[!] ${text}`)
    isQuiet = true
  }
  const { link, opener } = clientLink({ config, version, log, holdMs, resumeMs })
  const dialer = new Dialer(link, opener, name, holdMs)
  const stop = new AbortController()
  adaptToLoad()
  const running = link.run(stop.signal)
  running.catch((error: unknown) => dialer.close(error))
  try {
    const duplex = await dialer.dial(signal)
    await join(duplex, options, signal)
  } catch (error) {
    stop.abort()
    // Why the link ended for good says more than that it did.
    await running
    if (!signal.aborted) throw error
  }
  stop.abort()
  await running
}

/** @throws ConnectError as carryStdio */
async function join(duplex: StreamDuplex, { input, output }: StdioOptions, signal: AbortSignal) {
  const failed = Promise.withResolvers<never>()
  const fail = (error: unknown) => {
    failed.reject(error)
    duplex.destroy()
  }
  signal.throwIfAborted()
  signal.addEventListener('abort', () => fail(signal.reason))
  duplex.on('data', (chunk: Buffer) => {
    if (!output.write(chunk)) duplex.pause()
  })
  output.on('drain', () => duplex.resume())
  duplex.on('end', () => output.end())
  output.on('error', (error) =>
    fail(
      new ConnectError('STDIO_FAILED', `stdout can’t be written to: ${messageOf(error)}`, { cause: error }),
    ),
  )
  input.on('error', (error) =>
    fail(new ConnectError('STDIO_FAILED', `stdin can’t be read: ${messageOf(error)}`, { cause: error })),
  )
  input.pipe(duplex)
  await Promise.race([Promise.all([finished(duplex), finished(output)]), failed.promise])
}
