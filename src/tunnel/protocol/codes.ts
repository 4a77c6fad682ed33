/** Why a stream could not be opened (OPEN_ERR) or was reset (RST). The numbers are the protocol's. */
export const STREAM_CODES = {
  /** The other TCP peer reset its connection, or went away mid-way. */
  PEER_RESET: 1,
  /** No service of that name in the workspace. */
  SERVICE_UNKNOWN: 2,
  /** The service is known, its agent isn't connected. */
  AGENT_OFFLINE: 3,
  /** Nothing listens at the target. */
  TARGET_REFUSED: 4,
  /** The target's name or address leads nowhere, or nobody answered in time. */
  TARGET_UNREACHABLE: 5,
  /** Too many streams, or too many waiting to be opened. */
  LIMIT: 6,
  /** A link on the way was lost. */
  LINK_LOST: 7,
  /** The sender went past the window it was given. */
  FLOW_CONTROL: 8,
  /** Frames that make no sense for this stream's state. */
  PROTOCOL: 9,
  /** The link doesn't have this stream, or no longer. */
  STREAM_UNKNOWN: 10,
  /** No answer to OPEN in time. */
  TIMEOUT: 11,
  /** This end is shutting down. */
  SHUTDOWN: 12,
  /** The connection goes round: it has come through too many streams, or the target leads straight back. */
  LOOP: 13,
  /** The service is another agent’s than the one that the OPEN has named. */
  OTHER_AGENT: 14,
} as const

/** The far end, or the way to it, is gone; nothing was said of the connection itself. */
export const LINK_LOST_CODES: ReadonlySet<number> = new Set([
  STREAM_CODES.LINK_LOST,
  STREAM_CODES.STREAM_UNKNOWN,
])

const NAMES = new Map<number, string>(Object.entries(STREAM_CODES).map(([name, code]) => [code, name]))

/** @returns the code's name, or `code 99` for one that a newer peer may know */
export function streamCodeName(code: number): string {
  return NAMES.get(code)?.toLowerCase().replaceAll('_', ' ') ?? `code ${code}`
}

/** Why a link ends (GOAWAY). */
export const GOAWAY_CODES = {
  /** Going down or restarting: come back after the given time. */
  SHUTDOWN: 1,
  /** The same link has come back on a newer connection. */
  REPLACED: 2,
  /** This agent's key was revoked: don't come back. */
  REVOKED: 3,
  /** The peer broke the protocol. */
  PROTOCOL: 4,
  /** The agent has logged out. */
  LOGGED_OUT: 5,
} as const

export type GoawayCode = (typeof GOAWAY_CODES)[keyof typeof GOAWAY_CODES]
