import type { StreamRoute } from './outgoing.ts'

/**
 * Where a stream is in its life.
 *
 * ```
 *                      link lost
 *      ┌──────────┐ ───────────────► ┌──────────┐   new link    ┌──────────┐
 *   ──►│ attached │                  │ detached │ ────────────► │ resuming │
 *      └──────────┘ ◄─────────────┐  └──────────┘ ◄──────────── └──────────┘
 *           │                     │       │         link lost     │   │
 *           │                     └───────┼───────── RESUMED ─────┘   │
 *           │                             │ ended here                │ ended here
 *           │ both directions done,       ▼                           │
 *           │ or ended here          ┌─────────┐ ◄────────────────────┘
 *           │                        │ leaving │
 *           ▼                        └─────────┘
 *      ┌────────┐  RESUMED: told          │
 *      │  over  │ ◄───────────────────────┘
 *      └────────┘
 * ```
 *
 * From each state to `over`: the far end ends it, or its time without a link is up.
 */
export type StreamState =
  /** On a link, and both ends know where the other one stands. */
  | State<'attached', { route: StreamRoute }>
  /** Its link is lost; the deadline ends it. */
  | State<'detached', { deadline: NodeJS.Timeout }>
  /** On a new link, and the far end has not said where it stands: nothing else may be sent. */
  | State<'resuming', { route: StreamRoute; deadline: NodeJS.Timeout }>
  /** Ended here while it was not attached: the far end is told once it has said where it stands. */
  | State<
      'leaving',
      {
        route: StreamRoute | undefined
        deadline: NodeJS.Timeout
        pendingReset: PendingReset
        cause: ResetReason | undefined
      }
    >
  /** Over, and nothing is left to be said. */
  | State<'over', { cause: ResetReason | undefined }>

/** What a state does not have is undefined in it, so that every state can be asked for it. */
type State<Name extends string, Has> = Readonly<{ name: Name } & Has & Omit<Nothing, keyof Has>>

interface Nothing {
  route?: undefined
  deadline?: undefined
  cause?: undefined
}

/** The frame that tells the far end, with the stream's number on the link of the time. */
export type PendingReset = (id: number) => Buffer

/** Why a stream was reset, if the far end or the way to it did that. */
export interface ResetReason {
  readonly code: number
  readonly message: string
}
