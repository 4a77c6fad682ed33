import { expect } from 'vitest'
import { ConnectError } from '../../../src/errors.ts'
import { identify } from '../../../src/process/identity.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { withCommandLock } from '../../../src/tasks/locks/command-lock.ts'
import { WELL, type Switches } from '../../helpers/launchctl/switches.ts'
import { Rig, type Behaviour } from '../../platforms/launchd/helpers/rig.ts'
import type { Random } from './random.ts'

const ACTIONS = ['install', 'start', 'stop', 'restart', 'uninstall', 'upgrade'] as const
type Action = (typeof ACTIONS)[number]

/** What a command has said of how it left things. */
type Said =
  | { readonly kind: 'runs'; readonly pid: number }
  /** It ran already when it was looked at, and was left alone. */
  | { readonly kind: 'ran'; readonly pid: number }
  /** No process, and launchd does not have it. */
  | { readonly kind: 'absent'; readonly uninstalled: boolean }
  /** It was not clear how things stood, so nothing was changed. */
  | { readonly kind: 'untouched' }
  /** It was begun, and launchd does not say what became of it. */
  | { readonly kind: 'unknown' }
  /** launchd has it, and may start it at any moment. */
  | { readonly kind: 'trying' }

interface Answer {
  readonly title: string
  readonly said: Said
  readonly text: string
}

/** What fails for ever need not be waited for for long: whatever comes of it, it must be told as it is. */
const HASTY = { pollMs: 100, slackMs: 1500, totalMs: 6000, rollbackMs: 4000 }
const SCALES = { exitScale: 0.1, throttleScale: 0.02 }
const VERBS = ['kickstart', 'bootstrap', 'bootout', 'kill', 'enable', 'print-disabled'] as const

/** One machine: commands at random, one or two at a time, while its launchd misbehaves at random. */
export class LaunchdTrials {
  readonly #rig: Rig
  readonly #random: Random
  readonly #counts: Map<string, number>
  #version = 0
  #story: string[] = []

  private constructor(rig: Rig, random: Random, counts: Map<string, number>) {
    this.#rig = rig
    this.#random = random
    this.#counts = counts
  }

  static async start(random: Random, counts: Map<string, number>): Promise<LaunchdTrials> {
    return new LaunchdTrials(await Rig.start(), random, counts)
  }

  close(): Promise<void> {
    return this.#rig.close()
  }

  /** From a machine where nothing is installed, and back to it. */
  async sequence(number: number): Promise<void> {
    this.#story = []
    const gui = this.#random.chance(0.8)
    try {
      await this.#rig.fake.set({ ...WELL, ...SCALES, gui })
      this.#rig.behave('good')
      for (let step = this.#random.between(2, 4); step > 0; step--) {
        if (this.#random.chance(0.2)) await this.#crash()
        else await this.#step(gui)
      }
      await this.#rig.fake.set({ ...WELL, ...SCALES, gui })
      this.#rig.behave('good')
      const { text } = await this.#run('uninstall')
      const { jobs, alive, plist } = await this.#rig.state()
      expect({ jobs, alive, plist }, text).toEqual({ jobs: [], alive: [], plist: false })
    } catch (error) {
      throw new Error(`sequence ${number}:\n${this.#story.join('\n')}`, { cause: error })
    }
  }

  /** The process is killed, or ends by itself from now on. */
  async #crash(): Promise<void> {
    const behaviour = this.#random.pick<Behaviour>(['good', 'good', 'exit 0', 'exit 3'])
    this.#note(`the daemon crashes, and then is ${behaviour}`)
    this.#rig.behave(behaviour)
    for (const pid of this.#rig.alive()) process.kill(pid, 'SIGKILL')
    await this.#settled()
    await this.#statusIsTrue()
    await this.#fixed()
  }

  /** What crashed again and again comes up at its next start. */
  async #fixed(): Promise<void> {
    this.#rig.behave('good')
    await this.#settled(['spawn scheduled'])
    await this.#statusIsTrue()
  }

  async #step(gui: boolean): Promise<void> {
    const [name, switches] = this.#misbehaviour()
    const actions = Array.from({ length: this.#random.chance(0.25) ? 2 : 1 }, () =>
      this.#random.pick(ACTIONS),
    )
    const behaviour = this.#random.pick<Behaviour>([
      'good',
      'good',
      'good',
      'good',
      'stubborn',
      'exit 0',
      'exit 3',
    ])
    this.#note(`${actions.join(' and ')}, launchd: ${name}, the daemon: ${behaviour}`)
    const before = this.#rig.alive()
    this.#rig.behave(behaviour)
    await this.#rig.fake.set(switches)
    const answers: Answer[] = []
    await Promise.all(actions.map(async (action) => answers.push(await this.#run(action))))
    await this.#rig.fake.set({ ...WELL, ...SCALES, gui })
    for (const { title, said } of answers) this.#count(`${title}: ${said.kind}`)
    await this.#isTrue(answers, before, behaviour)
    await this.#fixed()
  }

  /** They wait for each other, so that what the last one says is how it is. */
  async #isTrue(answers: readonly Answer[], before: readonly number[], behaviour: Behaviour): Promise<void> {
    const clear = answers.findLast(({ said }) => said.kind !== 'untouched')
    const { jobs, alive, plist } = await this.#settled()
    const what = answers.map(({ title, text }) => `${title}: ${text}`).join('\n')
    this.#note(what)
    if (!clear) expect(alive, what).toEqual(before)
    else if (clear.said.kind === 'ran' && behaviour.startsWith('exit') && alive[0] !== clear.said.pid) {
      // It was one of many that end at once, and was seen in between.
      expect(jobs, what).toHaveLength(1)
    } else if (clear.said.kind === 'runs' || clear.said.kind === 'ran') {
      expect(alive, what).toEqual([clear.said.pid])
      expect(jobs, what).toMatchObject([{ pid: clear.said.pid }])
    } else if (clear.said.kind === 'absent') {
      expect({ jobs, alive }, what).toEqual({ jobs: [], alive: [] })
      if (clear.said.uninstalled) expect(plist, what).toBe(false)
    } else if (clear.said.kind === 'trying') expect(jobs, what).toHaveLength(1)
  }

  async #statusIsTrue(): Promise<void> {
    const ask = async () => {
      const { state, pid, installed, reason } = await this.#rig.platform(HASTY).status()
      const { jobs, alive, plist } = await this.#rig.state()
      const isTrue =
        installed === plist &&
        (state === 'running' ? alive.join() === String(pid) : alive.length === 0) &&
        (state !== 'stopped' || jobs.every((job) => job.pid === null))
      return isTrue
        ? true
        : this.#noted(
            `status says ${state} (PID: ${pid}): ${reason}; ${JSON.stringify({ jobs, alive, plist })}`,
          )
    }
    // One that crashes again and again may do so between two looks.
    expect(await waitFor(ask, { timeoutMs: 10_000 })).toBe(true)
  }

  /** Nothing is on its way out or in. */
  async #settled(moving: readonly string[] = []): Promise<Awaited<ReturnType<Rig['state']>>> {
    const ask = async () => {
      const jobs = await this.#rig.fake.jobs()
      const isMoving = jobs.some(({ isLeaving, word }) => isLeaving || ['xpcproxy', ...moving].includes(word))
      const state = await this.#rig.state()
      const known = state.jobs.flatMap(({ pid }) => pid ?? [])
      const isOdd = known.some((pid) => !state.alive.includes(pid)) || state.alive.length !== known.length
      return isMoving || isOdd ? undefined : state
    }
    const state = await waitFor(ask, { timeoutMs: 10_000 })
    expect(state, JSON.stringify([await this.#rig.fake.jobs(), this.#rig.alive()])).toBeDefined()
    return state!
  }

  async #run(action: Action): Promise<Answer> {
    if (action === 'upgrade') this.#version++
    const daemon = this.#rig.daemon(`version ${this.#version}`)
    const { options } = this.#rig
    const work = async (): Promise<Said> => {
      const platform = this.#rig.platform(HASTY)
      if (action === 'uninstall') {
        await platform.uninstall()
        return { kind: 'absent', uninstalled: true }
      }
      const { state, pid } = await platform.status()
      if (action === 'stop') {
        await platform.stop()
        return { kind: 'absent', uninstalled: false }
      }
      if (action === 'start' && state === 'running' && pid !== undefined) return { kind: 'ran', pid }
      if (action === 'install' || action === 'upgrade')
        return { kind: 'runs', pid: (await platform.install(daemon, options)).pid }
      const started =
        action === 'restart' && state !== 'stopped'
          ? await platform.restart(daemon, options)
          : await platform.start(daemon, options)
      return { kind: 'runs', pid: started.pid }
    }
    return withCommandLock(this.#rig.instance, async () => {
      try {
        const said = await work()
        return { title: action, said, text: JSON.stringify(said) }
      } catch (error) {
        if (!(error instanceof ConnectError)) throw error
        const text = [error.code, error.message, ...error.hints].join('\n    ')
        return { title: `${action} failed`, said: saidByError(error), text }
      }
    })
  }

  /** Something that launchd does, and its name. */
  #misbehaviour(): [name: string, switches: Partial<Switches>] {
    const random = this.#random
    if (random.chance(0.4)) return ['well', {}]
    const verb = random.pick(VERBS)
    const times = random.between(1, 4)
    return random.pick<[string, Partial<Switches>]>([
      [
        'slow to let go',
        { lingerMs: random.between(50, 400), busyCode: random.pick([5, 17, 37, 130] as const) },
      ],
      [`hangs at ${verb}`, { hangs: [verb] }],
      ['hangs at print', { hangs: ['print'] }],
      [`hangs after ${verb}`, { hangsAfter: [verb] }],
      [
        `fails at bootstrap`,
        { fails: { bootstrap: { code: random.pick([5, 17, 36, 37, 109, 122, 125, 130]), times } } },
      ],
      [`fails at bootout`, { fails: { bootout: { code: random.pick([3, 5, 36]), times } } }],
      [`fails at kickstart`, { fails: { kickstart: { code: random.pick([3, 37, 113, 125]), times } } }],
      [`fails at print`, { fails: { print: { code: random.pick([1, 64]), times } } }],
      [`lies at ${verb}`, { lies: [verb] }],
      ['starts nothing by itself', { noRunAtLoad: true }],
      ['forbidden', { forbidden: random.pick([5, 119] as const) }],
      ['slow to start', { spawnMs: random.between(20, 300) }],
      ['throttles kickstart', { throttlesKickstart: true }],
      ['an old macOS', { print: 'as on Mojave' }],
      ['no environment', { print: 'without environment' }],
      ['garbled', { print: 'garbled' }],
    ])
  }

  #count(what: string): void {
    this.#counts.set(what, (this.#counts.get(what) ?? 0) + 1)
  }

  #note(line: string): void {
    this.#story.push(line)
  }

  #noted(line: string): undefined {
    if (this.#story.at(-1) !== line) this.#note(line)
  }
}

function saidByError({ message, hints }: ConnectError): Said {
  const last = hints.at(-1) ?? ''
  const running = /(?:runs again|still runs|It runs) \(PID: (\d+)\)/.exec(`${message} ${last}`)?.[1]
  if (running !== undefined && identify(Number(running))) return { kind: 'runs', pid: Number(running) }
  if (/^Nothing |does not run now\.$/.test(last)) return { kind: 'absent', uninstalled: false }
  if (/goes on trying|It does not run now|has it as before/.test(last)) return { kind: 'trying' }
  if (/^launchd has it, and|still loaded/.test(`${last} ${message}`)) return { kind: 'trying' }
  if (last.startsWith('It is not known') || message.endsWith('on its way out')) return { kind: 'unknown' }
  return { kind: 'untouched' }
}
