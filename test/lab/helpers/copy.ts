import type { ChildProcess } from 'node:child_process'
import { createHash } from 'node:crypto'
import { once } from 'node:events'
import { expect } from 'vitest'
import { waitFor } from '../../../src/runtime/wait-for.ts'

/** What a psql that runs a COPY puts out, read as fast as it comes, of any size. */
export class Copy {
  bytes = 0
  readonly exitCode: Promise<number>
  readonly #hash = createHash('sha256')
  #errors = ''

  constructor(psql: ChildProcess) {
    psql.stdout!.on('data', (chunk: Buffer) => {
      this.#hash.update(chunk)
      this.bytes += chunk.length
    })
    psql.stderr!.on('data', (text: Buffer) => (this.#errors += String(text)))
    this.exitCode = once(psql, 'close').then(([code]) => code as number)
  }

  /** Waits until that much has come. */
  async flows(bytes: number): Promise<void> {
    const isFlowing = () => (this.bytes >= bytes ? true : undefined)
    expect(await waitFor(isFlowing, { timeoutMs: 60_000 }), this.#errors).toBe(true)
  }

  /** Waits until it is whole. */
  async sha256(): Promise<string> {
    expect([await this.exitCode, this.#errors]).toEqual([0, ''])
    return this.#hash.digest('hex')
  }
}
