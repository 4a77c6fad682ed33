import { guardCarrier } from '../log/uncaught.ts'
import { leaveAtOnce } from './leave.ts'
import { Output } from './output.ts'
import { openSink } from './sink.ts'
import { untilInterrupted } from './until-interrupted.ts'

/** How long the end of the process waits for its last words to be read, in ms. */
const LAST_WORDS_MS = 1000

/** What a command turns into that carries data: from here on nothing that it says holds it up or ends it. */
export class Carrier {
  readonly stdout = new Output(openSink(1))
  readonly stderr = new Output(openSink(2))

  constructor() {
    guardCarrier(
      (line) => this.stderr.write(line),
      () => {
        process.exitCode = 1
        void this.#areLastWordsOut().then(leaveAtOnce)
      },
    )
  }

  run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return untilInterrupted(work)
  }

  /** To be called last: what nobody reads must not keep the process from its end. */
  async end(): Promise<void> {
    if (!(await this.#areLastWordsOut())) leaveAtOnce()
  }

  async #areLastWordsOut(): Promise<boolean> {
    const outputs = [this.stdout, this.stderr]
    const areOut = await Promise.all(outputs.map((output) => output.flush(LAST_WORDS_MS)))
    // process.exit() would wait for that thread.
    if (outputs.some((output) => output.isStuck)) process.kill(process.pid, 'SIGKILL')
    return !areOut.includes(false)
  }
}
