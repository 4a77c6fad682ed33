import type { Position } from '../tunnel/frames.ts'
import { SendWindow } from '../tunnel/send-window.ts'
import type { Owner, SwitchPort } from './switch-port.ts'

/**
 * How an end of a stream stands to its link:
 * - `flowing`: what it sends may be passed on;
 * - `asked`: the other end is back, and this one has yet to say where it stands. What it sends until then is old;
 * - `waiting`: it is back on a new link, has said where it stands, and sends nothing until it hears of the other;
 * - `lost`: it has no link.
 */
export type EndState = 'flowing' | 'asked' | 'waiting' | 'lost'

/** One end of a stream that passes through: a number on a port, and what this end may send. */
export class End {
  readonly passage: Passage
  /** Undefined of one that has yet to come back to a hub that was restarted. */
  agent: Owner | undefined
  /** The process that alone may come back for it. */
  process: string | undefined
  port: SwitchPort | undefined
  number = 0
  state: EndState = 'lost'
  /** How many RESUMEs it has yet to answer. */
  asked = 0
  /** Where it stood when it said so last. */
  position: Position | undefined
  window = new SendWindow()
  /** Where it was told last, by RESUME, that the other end stands. */
  told: Position | undefined
  /** It is not yet told how far its window has come: the other end's link is backed up. */
  held = false

  constructor(passage: Passage) {
    this.passage = passage
  }

  get isOpener(): boolean {
    return this.passage.opener === this
  }

  get other(): End {
    return this.isOpener ? this.passage.acceptor : this.passage.opener
  }

  /** Whether it has sent OPEN, and nobody has answered. */
  get isOpening(): boolean {
    return this.isOpener && !this.passage.answered
  }
}

/** A stream as it passes through the hub. */
export class Passage {
  readonly key: Buffer
  readonly service: string
  readonly opener = new End(this)
  readonly acceptor = new End(this)
  /** The agent that opened it: its end comes from nobody else. */
  readonly from: string
  /** Those of its OPEN: the two agents' business. */
  readonly flags: number
  /** The acceptor has said yes. */
  answered = false
  /** Ends the wait for that. */
  answerTimer: NodeJS.Timeout | undefined
  /** Ends the wait for an end that is lost. */
  returnTimer: NodeJS.Timeout | undefined
  /** Why it broke, for an end that is lost and has yet to hear of it. */
  broken: { readonly code: number; readonly message: string } | undefined

  constructor(key: Buffer, service: string, from: string, flags: number) {
    this.flags = flags
    this.from = from
    this.key = key
    this.service = service
  }

  get ends(): readonly [End, End] {
    return [this.opener, this.acceptor]
  }

  /** What either end sends may be passed on: both know where the other stands. */
  get flows(): boolean {
    return this.opener.state === 'flowing' && this.acceptor.state === 'flowing'
  }
}
