import { readFileSync, utimesSync } from 'node:fs'
import { performance } from 'node:perf_hooks'
import { expect } from 'vitest'
import { readConfig } from '../../../src/config/config.ts'
import type { ExposedService } from '../../../src/config/services.ts'
import { identify, isAlive } from '../../../src/process/identity.ts'
import { connectOk, startConnect, type RunningCli } from '../../helpers/cli.ts'
import { childOf, killAt, someMoment } from './kill.ts'
import type { Machine } from './machine.ts'
import type { Random } from './random.ts'

interface Action {
  /** What is killed: the command, the agent that it starts, or the one that runs already. */
  readonly kill: 'command' | 'new agent' | 'agent'
  readonly name: string
  readonly from: { readonly loggedIn: boolean; readonly running?: boolean }
}

const STOPPED = { loggedIn: true, running: false }
const RUNNING = { loggedIn: true, running: true }

const ACTIONS: readonly Action[] = [
  { kill: 'command', name: 'daemon start', from: STOPPED },
  { kill: 'command', name: 'daemon start --replace', from: RUNNING },
  { kill: 'command', name: 'daemon restart', from: RUNNING },
  { kill: 'command', name: 'daemon stop', from: RUNNING },
  { kill: 'command', name: 'daemon install', from: { loggedIn: true } },
  { kill: 'command', name: 'login', from: { loggedIn: false } },
  { kill: 'command', name: 'logout', from: STOPPED },
  { kill: 'command', name: 'expose', from: STOPPED },
  { kill: 'command', name: 'expose', from: RUNNING },
  { kill: 'command', name: 'unexpose', from: STOPPED },
  { kill: 'command', name: 'unexpose', from: RUNNING },
  { kill: 'new agent', name: 'daemon start', from: STOPPED },
  { kill: 'new agent', name: 'daemon start', from: STOPPED },
  { kill: 'new agent', name: 'daemon restart', from: RUNNING },
  { kill: 'agent', name: 'daemon stop', from: RUNNING },
  { kill: 'agent', name: 'expose', from: RUNNING },
  { kill: 'agent', name: 'unexpose', from: RUNNING },
]

function titleOf({ kill, name, from }: Action): string {
  return `${name}${from.running ? ' beside an agent' : ''}: the ${kill} is killed`
}

/** One machine's trials, one after the other. */
export class Trials {
  readonly machine: Machine
  readonly name: string
  readonly random: Random
  /** How many of each action were cut short. */
  readonly kills = new Map<string, number>()
  /** How long each takes when it is not, in ms. */
  readonly durations = new Map<string, number>()

  constructor(machine: Machine, name: string, random: Random) {
    this.machine = machine
    this.name = name
    this.random = random
  }

  /** @param stop another machine's trials have failed */
  async run(kills: number, stop: AbortSignal): Promise<void> {
    const story: string[] = []
    for (let done = 0, tried = 0; done < kills && !stop.aborted; tried++) {
      const action = this.random.pick(ACTIONS)
      story.push(titleOf(action))
      try {
        expect(tried).toBeLessThan(20 + kills * 5)
        if (await this.trial(action)) done++
      } catch (error) {
        throw new Error(`after ${done} kills; the last: ${story.slice(-4).join('; ')}`, { cause: error })
      }
    }
    await this.checkNothingPilesUp()
  }

  /** @returns whether something was killed */
  async trial(action: Action): Promise<boolean> {
    const { kill, name, from } = action
    const { machine, random } = this
    await machine.bringTo(from)
    const running = await machine.settled()
    const config = readConfig(machine.instance)
    const before = machine.services()
    const { args, env, after } = this.wordsOf(name, before)
    const title = titleOf(action)
    const duration = this.durations.get(title)
    const moment = someMoment(random, (duration ?? 400) * 1.05)

    let began = performance.now()
    const cli = startConnect(machine.home, args, { env })
    let killed = false
    if (kill === 'command') {
      await killAt(machine.home, moment, cli.exited, () => cli.kill('SIGKILL'))
      killed = (await cli.exited).signal === 'SIGKILL'
    } else {
      const target = kill === 'agent' ? running : await childOf(cli.pid, cli.exited)
      const victim = target === undefined ? undefined : identify(target)
      if (victim) {
        began = performance.now()
        await killAt(machine.home, moment, cli.exited, () => {
          if (!isAlive(victim)) return
          process.kill(victim.pid, 'SIGKILL')
          killed = true
        })
      }
      const { code } = await cli.exited
      this.checkWords(title, name, code, cli, after)
    }
    const took = performance.now() - began
    if (!killed) this.durations.set(title, duration === undefined ? took : (duration * 3 + took) / 4)
    else this.kills.set(title, (this.kills.get(title) ?? 0) + 1)

    try {
      const alive = await machine.settled()
      machine.checkFiles()
      expect([before, after]).toContainEqual(machine.services())
      const saved = readConfig(machine.instance)
      if (name === 'login') expect(saved?.hub ?? machine.hubUrl).toBe(machine.hubUrl)
      else if (name !== 'logout' || saved) expect(saved).toEqual(config)
      // The hub may have forgotten the machine already: another logout ends what the first has begun.
      if (name === 'logout') await machine.bringTo({ loggedIn: false })
      if (random.chance(0.2)) {
        const status = await machine.status()
        expect(status.pid).toBe(alive ?? null)
        expect(status.status).toBe(alive === undefined ? 'stopped' : 'running')
      }
    } catch (error) {
      throw new Error(
        `${title}, at ${JSON.stringify(moment, (_, value: unknown) => (value instanceof RegExp ? value.source : value))}:\n${cli.output}`,
        { cause: error },
      )
    }
    return killed
  }

  /** What is typed, and which services there are once it is done. */
  wordsOf(
    name: string,
    before: readonly ExposedService[],
  ): { args: readonly string[]; env: NodeJS.ProcessEnv; after: readonly ExposedService[] } {
    if (name === 'login') return { ...this.machine.login, after: before }
    const service = {
      name: `${this.name}-${this.random.between(1, 5)}`,
      host: 'localhost',
      port: this.random.between(1, 65_535),
    }
    const others = before.filter((one) => one.name !== service.name)
    if (name === 'unexpose') return { args: ['unexpose', service.name], env: {}, after: others }
    if (name !== 'expose') return { args: name.split(' '), env: {}, after: before }
    const after = [...others, service].toSorted((a, b) => a.name.localeCompare(b.name))
    return { args: ['expose', String(service.port), '--name', service.name], env: {}, after }
  }

  /** A command whose agent is killed under its hands says what became of it. */
  checkWords(
    title: string,
    name: string,
    code: number | null,
    cli: RunningCli,
    after: readonly ExposedService[],
  ): void {
    const what = `${title}\n${cli.output}`
    if (code === 0) {
      const truth = {
        'daemon start': /\[ok\] Daemon started \(PID: \d+\)\n/,
        'daemon restart': /^\[ok\] Daemon stopped\n\[ok\] Daemon started\n/,
        'daemon stop': /^(\[ok\] Daemon stopped|The daemon was not running.*)\n/,
      }[name]
      if (truth) expect(cli.stdout, what).toMatch(truth)
      else expect(this.machine.services(), what).toEqual(after)
      return
    }
    expect(code, what).toBe(1)
    const truth = name.startsWith('daemon')
      ? /^\[x\] Daemon failed to start: Process was ended by SIGKILL\n/
      : /^\[x\] The agent does not answer/
    expect(cli.stderr, what).toMatch(truth)
    expect(name, what).not.toBe('daemon stop')
  }

  /** What killed writers left is cleared away by the next ones, once it is certain that nobody needs it. */
  async checkNothingPilesUp(): Promise<void> {
    const { machine } = this
    for (const file of machine.leftovers()) utimesSync(file, 0, 0)
    await machine.bringTo({ loggedIn: false })
    await machine.bringTo(RUNNING)
    await connectOk(machine.home, ['expose', '9', '--name', `${this.name}-last`])
    await machine.bringTo(STOPPED)
    expect(machine.leftovers()).toEqual([])
    expect(readFileSync(machine.home.file('daemon.log'), 'utf8')).not.toContain('is not offered')
  }
}
