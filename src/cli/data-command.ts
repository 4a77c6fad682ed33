import { handleUncaught } from '../log/uncaught.ts'
import { exitNow } from './exit.ts'
import { Output } from './output/output.ts'
import { openSink } from './output/sink.ts'
import { untilInterrupted } from './until-interrupted.ts'

/** How long the end of the process waits for its last words to be read, in ms. */
const FLUSH_MS = 1000

/**
 * What `up`, `reach` and `hub` become once they carry data: nothing that they say holds them up or ends them.
 */
export class DataCommand {
  #stdout: Output | undefined
  readonly stderr: Output

  /** @param options.isBeside stderr is another program's as well, and stdout is its alone */
  constructor({ isBeside = false } = {}) {
    this.stderr = new Output(openSink(2, { isShared: isBeside }))
    if (!isBeside) this.#stdout = new Output(openSink(1))
    handleUncaught(
      (line) => this.stderr.write(line),
      () => {
        process.exitCode = 1
        void this.#isFlushed().then(exitNow)
      },
    )
  }

  /** Is not to be had beside another program. */
  get stdout(): Output {
    this.#stdout ??= new Output(openSink(1))
    return this.#stdout
  }

  run(work: (signal: AbortSignal) => Promise<void>): Promise<void> {
    return untilInterrupted(work)
  }

  /** To be called last. Output that nobody reads must not keep the process from its end. */
  async end(): Promise<void> {
    if (!(await this.#isFlushed())) exitNow()
  }

  async #isFlushed(): Promise<boolean> {
    const outputs = [this.stderr, ...(this.#stdout ? [this.#stdout] : [])]
    const areOut = await Promise.all(outputs.map((output) => output.flush(FLUSH_MS)))
    // process.exit() would wait for the thread that hangs in a write.
    if (outputs.some((output) => output.isStuck)) process.kill(process.pid, 'SIGKILL')
    return !areOut.includes(false)
  }
}
