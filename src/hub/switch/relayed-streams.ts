import { STREAM_CODES } from '../../tunnel/protocol/codes.ts'
import { MAX_LOST_STREAMS, RESUME_MS } from '../../tunnel/protocol/limits.ts'
import { Groups } from './groups.ts'
import { RelayedStream, type Endpoint } from './relayed-stream.ts'
import type { SwitchPort } from './switch-port.ts'

/** All streams that pass through, and how they come and go. */
export class RelayedStreams {
  readonly #byKey = new Map<string, RelayedStream>()
  /** The streams with an end that is lost. */
  readonly #incomplete = new Set<RelayedStream>()
  /** Of each agent, the ends that are lost. */
  readonly #lost = new Groups<Endpoint>()
  /** By their services, the streams without an acceptor. */
  readonly #unserved = new Groups<RelayedStream>()
  readonly #resumeMs: number

  /** @param resumeMs how long an end may be lost, default 30 s */
  constructor(resumeMs = RESUME_MS) {
    this.#resumeMs = resumeMs
  }

  get size(): number {
    return this.#byKey.size
  }

  /** The ends of an agent that are lost. */
  lostOf(agent: string): Iterable<Endpoint> {
    return this.#lost.of(agent)
  }

  /** The streams to services of that name that have no acceptor yet, or have none any more. */
  unserved(service: string): Iterable<RelayedStream> {
    return this.#unserved.of(service)
  }

  find(key: Buffer): RelayedStream | undefined {
    return this.#byKey.get(key.toString('latin1'))
  }

  /**
   * @param named the agent that alone may accept it; default whoever has the service
   * @returns a stream whose ends have yet to be attached
   */
  create(key: Buffer, service: string, from: string, flags: number, named?: string): RelayedStream {
    const stream = new RelayedStream(key, service, from, flags, named)
    this.#byKey.set(key.toString('latin1'), stream)
    this.#unserved.add(service, stream)
    return stream
  }

  /** Gives an end a place on a link: it is new, or was lost. */
  attach(end: Endpoint, port: SwitchPort, number: number): void {
    if (end.agent) this.#lost.delete(end.agent.id, end)
    if (!end.isOpener) this.#unserved.delete(end.stream.service, end.stream)
    end.agent = port.agent
    end.process = port.process
    end.isServing = port.isServing
    end.port = port
    end.number = number
    end.asked = 0
    end.held = false
    end.state = 'flowing'
    port.attach(end)
    this.#watch(end.stream)
  }

  /** The end's link is gone: it has some time to come back. */
  suspend(end: Endpoint): void {
    const { id } = end.agent!
    this.#detach(end)
    end.state = 'lost'
    const lost = this.#lost.add(id, end)
    this.#watch(end.stream)
    if (lost > MAX_LOST_STREAMS)
      this.reset(end.stream, STREAM_CODES.LIMIT, 'too many streams wait for a link')
  }

  /** Nobody knows any more whose this end, which is lost, was: its process was never told of the stream. */
  disown(end: Endpoint): void {
    this.#lost.delete(end.agent!.id, end)
    if (!end.isOpener) this.#unserved.add(end.stream.service, end.stream)
    end.agent = undefined
    end.process = undefined
    end.isServing = false
  }

  /** Resets the stream if nobody has said yes or no within the time. */
  awaitAnswer(stream: RelayedStream, withinMs: number, why: { code: number; message: string }): void {
    clearTimeout(stream.answerTimer)
    stream.answerTimer = setTimeout(() => this.reset(stream, why.code, why.message), withinMs).unref()
  }

  answered(stream: RelayedStream): void {
    if (stream.answered) return
    clearTimeout(stream.answerTimer)
    stream.opener.port?.answered()
    stream.answered = true
  }

  /** Resets a stream at both ends; an end that is lost hears it when it comes back. */
  reset(stream: RelayedStream, code: number, message: string): void {
    for (const end of stream.ends) this.#tell(end, code, message)
    this.#tombstone(stream, code, message)
  }

  /** Resets a stream, and forgets it: an end that is lost is not waited for. */
  #expire(stream: RelayedStream, code: number, message: string): void {
    for (const end of stream.ends) this.#tell(end, code, message)
    this.forget(stream)
  }

  /** One end has reset the stream; the other has just been told, unless it is lost. */
  onReset(stream: RelayedStream, code: number, message: string): void {
    for (const { port, number } of stream.ends) port?.link.drop(number)
    this.#tombstone(stream, code, message)
  }

  forget(stream: RelayedStream): void {
    clearTimeout(stream.answerTimer)
    clearTimeout(stream.returnTimer)
    for (const end of stream.ends) {
      if (end.agent) this.#lost.delete(end.agent.id, end)
      this.#detach(end)
    }
    this.#unserved.delete(stream.service, stream)
    this.#incomplete.delete(stream)
    this.#byKey.delete(stream.key.toString('latin1'))
  }

  #tell({ port, number, isOpening }: Endpoint, code: number, message: string): void {
    port?.link.drop(number)
    port?.refuse(number, isOpening, code, message)
  }

  #tombstone(stream: RelayedStream, code: number, message: string): void {
    const isWaitedFor = stream.ends.some(({ state, agent }) => state === 'lost' && agent)
    if (!isWaitedFor) return this.forget(stream)
    stream.pendingReset = { code, message }
    clearTimeout(stream.answerTimer)
    for (const end of stream.ends) this.#detach(end)
  }

  #detach(end: Endpoint): void {
    end.port?.detach(end)
    end.port = undefined
  }

  /** Begins to wait for ends that are lost, or stops once none is. */
  #watch(stream: RelayedStream): void {
    const isIncomplete = stream.ends.some(({ state }) => state === 'lost')
    if (isIncomplete === this.#incomplete.has(stream)) return
    if (isIncomplete) {
      this.#incomplete.add(stream)
      stream.returnTimer = setTimeout(
        () => this.#expire(stream, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost'),
        this.#resumeMs,
      ).unref()
    } else {
      this.#incomplete.delete(stream)
      clearTimeout(stream.returnTimer)
    }
  }
}
