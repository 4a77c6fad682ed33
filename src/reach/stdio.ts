import { addAbortSignal, type Readable, type Writable } from 'node:stream'
import { finished } from 'node:stream/promises'
import { ConnectError, messageOf } from '../errors.ts'
import { adaptToLoad } from '../runtime/adapt-to-load.ts'
import type { StreamDuplex } from '../tunnel/stream/stream-duplex.ts'
import { clientLink, type ClientLinkOptions } from './client-link.ts'
import { Dialer } from './dialer.ts'
import { HOLD_MS } from './opener.ts'

export interface StdioOptions extends Pick<ClientLinkOptions, 'config' | 'version' | 'resumeMs'> {
  /** The service's name. */
  readonly name: string
  readonly input: Readable
  readonly output: Writable
  /** Gets the few lines that a person may want to know meanwhile. */
  readonly tell: (line: string) => void
  /** How long the hub may be away at the start, in ms; default 15,000. */
  readonly holdMs?: number
  /** How soon it is told that the hub does not answer, in ms; default 3,000. */
  readonly waitingMs?: number
}

const WAITING_MS = 3000

/**
 * Carries an input to a service and its answer to an output, each to its own end, over a link of its own. The
 * service isn't looked up before: that would be one more connection to the hub.
 *
 * @throws ConnectError HUB_UNREACHABLE, REVOKED, SERVICE_UNKNOWN, AGENT_OFFLINE, TARGET_UNREACHABLE,
 * CONNECTION_RESET, STDIO_FAILED; nothing if the signal says stop
 */
export async function carryStdio(options: StdioOptions, signal: AbortSignal): Promise<void> {
  const { config, version, name, resumeMs, holdMs = HOLD_MS, waitingMs = WAITING_MS } = options
  let isQuiet = false
  // Only why it doesn't begin: a terminal shows something else by then.
  const log = (text: string, level?: string) => {
    if (level === 'warn' && !isQuiet) options.tell(`[!] ${text}`)
    isQuiet = true
  }
  setTimeout(() => log(`No answer yet from the hub at ${config.hub}`, 'warn'), waitingMs).unref()
  const { link, opener } = clientLink({ config, version, log, holdMs, resumeMs })
  const dialer = new Dialer(link, opener, name, holdMs)
  const stop = new AbortController()
  adaptToLoad()
  const running = link.run(stop.signal)
  running.catch((error: unknown) => dialer.close(error))
  try {
    const broken = whenBroken(options)
    const carried = dialer.dial(signal).then((duplex) => join(duplex, options, signal))
    await Promise.race([carried, broken])
  } catch (error) {
    stop.abort()
    // Why the link ended for good says more than that it did.
    await running
    if (!signal.aborted) throw error
  }
  stop.abort()
  await running
}

/** Is rejected once one of the two can't be used any more. @throws ConnectError STDIO_FAILED */
function whenBroken({ input, output }: StdioOptions): Promise<never> {
  const { promise, reject } = Promise.withResolvers<never>()
  const breaks = (what: string) => (cause: Error) =>
    reject(new ConnectError('STDIO_FAILED', `${what}: ${messageOf(cause)}`, { cause }))
  input.on('error', breaks('stdin can’t be read'))
  output.on('error', breaks('stdout can’t be written to'))
  return promise
}

/** Is through when both ends are. @throws what has reset the connection; the signal's reason */
async function join(
  duplex: StreamDuplex,
  { input, output }: StdioOptions,
  signal: AbortSignal,
): Promise<void> {
  addAbortSignal(signal, duplex)
  duplex.on('data', (chunk: Buffer) => {
    if (!output.write(chunk)) duplex.pause()
  })
  output.on('drain', () => duplex.resume())
  duplex.on('end', () => output.end())
  input.pipe(duplex)
  await Promise.all([finished(duplex), finished(output)])
}
