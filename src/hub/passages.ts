import { STREAM_CODES } from '../tunnel/codes.ts'
import { MAX_WAITING_STREAMS, RESUME_MS } from '../tunnel/limits.ts'
import { type End, Passage } from './passage.ts'
import type { SwitchPort } from './switch-port.ts'

/** All streams that pass through, and how they come and go. */
export class Passages {
  readonly #byKey = new Map<string, Passage>()
  /** Those with an end that is lost. */
  readonly #incomplete = new Set<Passage>()
  /** Of each agent, how many ends are lost. */
  readonly #lost = new Map<string, number>()
  readonly #resumeMs: number

  /** @param resumeMs how long an end may be lost, default 30 s */
  constructor(resumeMs = RESUME_MS) {
    this.#resumeMs = resumeMs
  }

  get size(): number {
    return this.#byKey.size
  }

  /** Those with an end that is lost, as of now. */
  get incomplete(): Passage[] {
    return [...this.#incomplete]
  }

  find(key: Buffer): Passage | undefined {
    return this.#byKey.get(key.toString('latin1'))
  }

  /** @returns one whose ends have yet to come */
  create(key: Buffer, service: string, from: string, flags: number): Passage {
    const passage = new Passage(key, service, from, flags)
    this.#byKey.set(key.toString('latin1'), passage)
    return passage
  }

  /** Gives an end that has none a place on a link. */
  attach(end: End, port: SwitchPort, number: number): void {
    if (end.agent) this.#count(end.agent.id, -1)
    end.agent = port.agent
    end.process = port.process
    end.port = port
    end.number = number
    end.asked = 0
    end.held = false
    end.state = 'flowing'
    port.ends.set(number, end)
    if (end.isOpening) port.pendingOpens++
    if (!end.isOpener) port.openers.take(end.passage.from)
    this.#watch(end.passage)
  }

  /** The end's link is gone: it has some time to come back. */
  lose(end: End): void {
    const { id } = end.agent!
    this.#detach(end)
    end.state = 'lost'
    this.#count(id, 1)
    this.#watch(end.passage)
    if (this.#lost.get(id)! > MAX_WAITING_STREAMS)
      this.break(end.passage, STREAM_CODES.LIMIT, 'too many streams wait for a link')
  }

  /** Nobody knows any more whose this end, which is lost, was: it never was told of the stream. */
  disown(end: End): void {
    this.#count(end.agent!.id, -1)
    end.agent = undefined
    end.process = undefined
  }

  /** Breaks the stream if nobody has said yes or no within the time. */
  awaitAnswer(passage: Passage, withinMs: number, why: { code: number; message: string }): void {
    clearTimeout(passage.answerTimer)
    passage.answerTimer = setTimeout(() => this.break(passage, why.code, why.message), withinMs).unref()
  }

  answered(passage: Passage): void {
    if (passage.answered) return
    clearTimeout(passage.answerTimer)
    if (passage.opener.port) passage.opener.port.pendingOpens--
    passage.answered = true
  }

  /** Breaks a stream at both ends; one that is lost hears it when it comes back. */
  break(passage: Passage, code: number, message: string): void {
    for (const end of passage.ends) this.#tell(end, code, message)
    this.#leaveWord(passage, code, message)
  }

  /** Breaks it without waiting for who is lost. */
  #giveUp(passage: Passage, code: number, message: string): void {
    for (const end of passage.ends) this.#tell(end, code, message)
    this.forget(passage)
  }

  /** One end has broken the stream; the other has just been told, unless it is lost. */
  broken(passage: Passage, code: number, message: string): void {
    for (const { port, number } of passage.ends) port?.link.drop(number)
    this.#leaveWord(passage, code, message)
  }

  forget(passage: Passage): void {
    clearTimeout(passage.answerTimer)
    clearTimeout(passage.returnTimer)
    for (const end of passage.ends) {
      if (end.state === 'lost' && end.agent) this.#count(end.agent.id, -1)
      this.#detach(end)
    }
    this.#incomplete.delete(passage)
    this.#byKey.delete(passage.key.toString('latin1'))
  }

  #tell({ port, number, isOpening }: End, code: number, message: string): void {
    port?.link.drop(number)
    port?.refuse(number, isOpening, code, message)
  }

  #leaveWord(passage: Passage, code: number, message: string): void {
    const isWaitedFor = passage.ends.some(({ state, agent }) => state === 'lost' && agent)
    if (!isWaitedFor) return this.forget(passage)
    passage.broken = { code, message }
    clearTimeout(passage.answerTimer)
    for (const end of passage.ends) this.#detach(end)
  }

  #detach(end: End): void {
    const { port } = end
    if (!port) return
    if (end.isOpening) port.pendingOpens--
    if (!end.isOpener) port.openers.leave(end.passage.from)
    port.ends.delete(end.number)
    end.port = undefined
  }

  /** Waits for ends that are lost, or no longer. */
  #watch(passage: Passage): void {
    const isIncomplete = passage.ends.some(({ state }) => state === 'lost')
    if (isIncomplete === this.#incomplete.has(passage)) return
    if (isIncomplete) {
      this.#incomplete.add(passage)
      passage.returnTimer = setTimeout(
        () => this.#giveUp(passage, STREAM_CODES.LINK_LOST, 'the other agent’s link was lost'),
        this.#resumeMs,
      ).unref()
    } else {
      this.#incomplete.delete(passage)
      clearTimeout(passage.returnTimer)
    }
  }

  #count(agent: string, by: 1 | -1): void {
    const count = (this.#lost.get(agent) ?? 0) + by
    if (count === 0) this.#lost.delete(agent)
    else this.#lost.set(agent, count)
  }
}
