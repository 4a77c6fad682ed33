import { chmodSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { identify } from '../../../src/process/identity.ts'
import { shellQuote } from '../../../src/text/shell-quote.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { until } from '../until.ts'

/** An npm that waits for its git, which hears neither SIGINT nor SIGTERM; they are ended with the test. */
export class SlowNpm {
  /** Goes first in the PATH. */
  readonly bin = path.join(scratchFolder(), 'bin')
  readonly #pids = path.join(this.bin, 'pids')

  constructor() {
    mkdirSync(this.bin, { recursive: true })
    const npm = path.join(this.bin, 'npm')
    const git = [`trap '' INT TERM`, `echo "$PPID $$" > "$1.new" && mv "$1.new" "$1"`, 'exec sleep 600'].join(
      '; ',
    )
    const lines = ['#!/bin/sh', `sh -c ${shellQuote(git)} git ${shellQuote(this.#pids)} &`, 'wait']
    writeFileSync(npm, `${lines.join('\n')}\n`)
    chmodSync(npm, 0o755)
    onTestFinished(() => {
      for (const pid of this.living()) process.kill(pid, 'SIGKILL')
    })
  }

  get path(): string {
    return `${this.bin}${path.delimiter}${process.env.PATH}`
  }

  /** Waits until both run. @returns npm's process id, and its git's */
  async running(): Promise<readonly number[]> {
    await until(() => existsSync(this.#pids))
    return this.#started()
  }

  /** Those of the two that live. */
  living(): number[] {
    return this.#started().filter((pid) => identify(pid) !== undefined)
  }

  #started(): number[] {
    return existsSync(this.#pids) ? readFileSync(this.#pids, 'utf8').trim().split(' ').map(Number) : []
  }
}
