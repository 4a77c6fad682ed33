import { connect, type Socket } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

const STREAMS = 100

/** A connection to an echo that is never idle, and what it has noticed. */
class Echoing {
  readonly socket: Socket
  readonly #timer: NodeJS.Timeout
  #sent = ''
  #got = ''
  #last = performance.now()
  /** The longest that nothing came back, in ms. */
  longestSilence = 0
  end: string | undefined

  constructor(port: number, name: number) {
    this.socket = connect(port, '127.0.0.1')
    this.socket.setEncoding('utf8').on('data', (text: string) => {
      this.#got += text
      const now = performance.now()
      this.longestSilence = Math.max(this.longestSilence, now - this.#last)
      this.#last = now
    })
    this.socket.on('error', (error) => (this.end ??= error.message))
    this.socket.on('close', () => (this.end ??= 'closed'))
    let count = 0
    this.#timer = setInterval(() => this.#send(`${name}:${count++}\n`), 20)
  }

  #send(text: string): void {
    this.#sent += text
    this.socket.write(text)
  }

  get lines(): number {
    return this.#got.split('\n').length - 1
  }

  /** Sends no more, and waits for all of it. @returns whether it is what was sent */
  async isWhole(): Promise<boolean> {
    clearInterval(this.#timer)
    await expect.poll(() => this.end ?? this.#got.length, { timeout: 30_000 }).toBe(this.#sent.length)
    this.socket.destroy()
    return this.#got === this.#sent
  }
}

let world: World
beforeAll(async () => {
  world = await World.start()
})
afterAll(() => world.stop())

test('a hub that is stopped and started again breaks none of 100 connections', async () => {
  const agent = world.keep(startConnect(await world.echoMachine('server'), ['up']))
  await agent.printed(/Connected to hub/)
  const { port } = await world.reach(await world.machine('client'), 'echo')
  const streams = Array.from({ length: STREAMS }, (_, index) => new Echoing(port, index))
  await expect
    .poll(() => Math.min(...streams.map(({ lines }) => lines)), { timeout: 30_000 })
    .toBeGreaterThan(5)
  await world.hub.stop('SIGTERM')
  await world.restartHub()
  const before = streams.map(({ lines }) => lines)
  await expect
    .poll(() => streams.filter(({ lines }, index) => lines > before[index]! + 5).length, { timeout: 30_000 })
    .toBe(STREAMS)
  expect(streams.flatMap(({ end }) => end ?? [])).toEqual([])
  for (const stream of streams) expect(await stream.isWhole()).toBe(true)
  // Far below the 30 s after which a stream is given up; about 0.6 s while nobody else uses the processor.
  expect(Math.max(...streams.map(({ longestSilence }) => longestSilence))).toBeLessThan(10_000)
})
