import { connect as dial } from 'node:net'
import { instanceFor } from '../../../src/config/instance.ts'
import { readReaches } from '../../../src/config/reaches.ts'
import { readProcessRecord } from '../../../src/control/process-record.ts'
import { killAt, type Moment } from '../../soak/helpers/kill.ts'
import { connectOk, startConnect } from '../cli.ts'
import { freePort } from '../free-port.ts'
import type { Home } from '../home.ts'
import { until } from '../until.ts'

const NAMES = ['one', 'two', 'three']
const PORTS = 6

/** The longest that a command is let alone for, in ms: most have ended by then. */
const LATEST_MS = 250

/** Else as soon as one of these happens to a file: it is written beside the old one, and takes its place. */
const WRITES = [/^reaches\.json\..*tmp$/, /^reaches\.json$/]

/**
 * Kills at random moments under keep, move and unreach, of the command or of the agent; and after each a look
 * at what is saved and what is held.
 */
export class KeepTrials {
  readonly #home: Home
  readonly #ports: readonly number[]
  /** From 0 up to, and without, 1. */
  readonly #fraction: () => number
  /** What was answered last: the port that a name is kept with. */
  #kept = new Map<string, number>()
  /** How many of which were killed. */
  readonly kills = { command: 0, agent: 0, 'command where no agent runs': 0 }

  private constructor(home: Home, ports: readonly number[], fraction: () => number) {
    this.#home = home
    this.#ports = ports
    this.#fraction = fraction
  }

  /** @param home of a machine that has joined, and whose daemon runs */
  static async at(home: Home, fraction: () => number): Promise<KeepTrials> {
    const ports = await Promise.all(Array.from({ length: PORTS }, freePort))
    return new KeepTrials(home, ports, fraction)
  }

  /** @throws Error if something that was answered is lost, or a port is held that nobody keeps */
  async trial(): Promise<void> {
    const name = this.#pick(NAMES)
    const port = this.#fraction() < 0.7 ? this.#pick(this.#ports) : undefined
    const args = port === undefined ? ['unreach', name] : ['reach', name, '--keep', '--port', String(port)]
    const victim = this.#pickVictim()
    const wanted = new Map(this.#kept)
    if (port === undefined) wanted.delete(name)
    else wanted.set(name, port)
    const title = `${args.join(' ')}, the ${victim} killed`

    if (victim === 'command where no agent runs') await connectOk(this.#home, ['daemon', 'stop'])
    const cli = startConnect(this.#home, args)
    const { pid } = readProcessRecord(this.#instance)!
    let isKilled = false
    await killAt(this.#home, this.#someMoment(), cli.exited, () => {
      if (victim !== 'agent') cli.kill('SIGKILL')
      else if (!isKilled) process.kill(pid, 'SIGKILL')
      isKilled = true
    })
    const { code, signal } = await cli.exited
    if (victim === 'agent' ? isKilled : signal === 'SIGKILL') this.kills[victim]++

    const saved = this.#saved()
    const isCertain = code !== null && victim !== 'agent'
    const possible = code === 0 ? [wanted] : isCertain ? [this.#kept] : [this.#kept, wanted]
    if (!possible.some((one) => isSame(one, saved)))
      throw new Error(
        `${title}: ${code ?? signal}, and now ${show(saved)} in place of ${possible.map(show).join(' or ')}`,
      )
    if (victim !== 'command')
      await until(async () => (await connectOk(this.#home, ['daemon', 'start'])) !== '')
    // The agent may have saved it just after its asker was killed.
    await until(() => this.#isHeld(), { everyMs: 50 })
    this.#kept = this.#saved()
    if (!possible.some((one) => isSame(one, this.#kept))) throw new Error(`${title}: ${show(this.#kept)}`)
  }

  /** Whether the agent holds exactly what is saved, and each port of that, and no other. */
  async #isHeld(): Promise<boolean> {
    const text = await connectOk(this.#home, ['reach', '--json'])
    const { reaches } = JSON.parse(text) as { reaches: { name: string; port: number; held: boolean }[] }
    const saved = this.#saved()
    const told = new Map(reaches.map((reach) => [reach.name, reach.port]))
    if (!isSame(told, saved) || reaches.some(({ held }) => !held)) return false
    const listening = await Promise.all(this.#ports.map(isListening))
    return this.#ports.every((port, at) => listening[at] === [...saved.values()].includes(port))
  }

  /** @throws ConnectError if the file is damaged */
  #saved(): Map<string, number> {
    return new Map(readReaches(this.#instance).map(({ name, port }) => [name, port]))
  }

  get #instance() {
    return instanceFor(undefined, this.#home.folder)
  }

  #pickVictim(): keyof KeepTrials['kills'] {
    if (this.#fraction() < 0.2) return 'command where no agent runs'
    return this.#fraction() < 0.6 ? 'command' : 'agent'
  }

  #someMoment(): Moment {
    return this.#fraction() < 0.4
      ? { touched: this.#pick(WRITES) }
      : { afterMs: this.#fraction() * LATEST_MS }
  }

  #pick<T>(choices: readonly T[]): T {
    return choices[Math.floor(this.#fraction() * choices.length)]!
  }
}

function isSame(one: ReadonlyMap<string, number>, other: ReadonlyMap<string, number>): boolean {
  return one.size === other.size && [...one].every(([name, port]) => other.get(name) === port)
}

function show(kept: ReadonlyMap<string, number>): string {
  return JSON.stringify(Object.fromEntries(kept))
}

async function isListening(port: number): Promise<boolean> {
  const socket = dial(port, '127.0.0.1')
  const { promise, resolve } = Promise.withResolvers<boolean>()
  socket.once('connect', () => resolve(true)).on('error', () => resolve(false))
  const answer = await promise
  socket.destroy()
  return answer
}
