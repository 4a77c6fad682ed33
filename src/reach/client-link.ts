import type { Config } from '../config/config.ts'
import { HubLink } from '../hub-client/link/hub-link.ts'
import type { Log } from '../log/log.ts'
import { STREAM_CODES } from '../tunnel/protocol/codes.ts'
import { Opener } from './opener.ts'

export interface ClientLinkOptions {
  readonly config: Config
  readonly version: string
  readonly log: Log
  /** How long a connection waits while the link is down, in ms. */
  readonly holdMs: number
  /** How long a connection waits for another link after it has lost one, in ms; default 30,000. */
  readonly resumeMs?: number | undefined
}

/** A link that services are reached over, and that exposes none; to be run by the caller. */
export function clientLink(options: ClientLinkOptions): { link: HubLink; opener: Opener } {
  const { config, version, log, holdMs, resumeMs } = options
  const link = new HubLink({
    config,
    role: 'client',
    version,
    log,
    ...(resumeMs !== undefined && { resumeMs }),
    onConnected: () => opener.carry(),
    // Nothing is exposed over this link, so nobody has any business opening a stream.
    onStream: (stream) => stream.refuse(STREAM_CODES.SERVICE_UNKNOWN, 'nothing is exposed over this link'),
  })
  const opener = new Opener(link, holdMs)
  return { link, opener }
}
