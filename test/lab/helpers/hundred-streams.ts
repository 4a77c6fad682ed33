import { spawn } from 'node:child_process'
import { RunningCli } from '../../helpers/cli.ts'
import { Pinged } from '../../helpers/pinged.ts'
import { psqlCommand } from './postgres.ts'

const STREAMS = 99

/** 99 connections that are used all the time, and a transaction of psql's. */
export class HundredStreams {
  readonly #streams: readonly Pinged[]
  readonly #transaction: RunningCli
  readonly #finish: () => void

  private constructor(streams: readonly Pinged[], transaction: RunningCli, finish: () => void) {
    this.#streams = streams
    this.#transaction = transaction
    this.#finish = finish
  }

  /** @param ports local ones, of an echo and of a PostgreSQL */
  static async open(ports: { echo: number; postgres: number }): Promise<HundredStreams> {
    const [program, ...args] = psqlCommand(ports.postgres)
    const psql = spawn(program, args)
    psql.stdin.on('error', () => {})
    psql.stdin.write('begin;\ncreate temp table t (x int);\ninsert into t values (42);\nselect 4711;\n')
    const transaction = new RunningCli(psql, 'psql')
    await transaction.printed(/^4711$/m)
    const streams = await Promise.all(Array.from({ length: STREAMS }, () => Pinged.open(ports.echo)))
    // What it takes to open so many at once is of no interest.
    for (const stream of streams) stream.slowestMs = 0
    const finish = () => psql.stdin.end("select 'sum ' || sum(x) from t;\ncommit;\n")
    return new HundredStreams(streams, transaction, finish)
  }

  /**
   * Waits until all have gone on, and the transaction is committed.
   *
   * @returns how long an answer took at the most, on the luckiest and the unluckiest stream, in ms
   * @throws Error if one broke
   */
  async goOn(): Promise<[number, number]> {
    await Promise.all(this.#streams.map((stream) => stream.answersAgain()))
    this.#finish()
    await this.#transaction.printed(/^sum 42$/m)
    const { code } = await this.#transaction.exited
    if (code !== 0) throw new Error(`psql ended with ${code}:\n${this.#transaction.output}`)
    const slowest = this.#streams.map(({ slowestMs }) => Math.round(slowestMs))
    return [Math.min(...slowest), Math.max(...slowest)]
  }

  close(): void {
    for (const stream of this.#streams) stream.close()
    this.#transaction.kill('SIGKILL')
  }
}
