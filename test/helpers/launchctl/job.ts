import { spawn, type ChildProcess } from 'node:child_process'
import { accessSync, closeSync, constants, openSync } from 'node:fs'
import { userInfo } from 'node:os'
import type { JobPlist } from './job-plist.ts'
import type { Switches } from './switches.ts'

/** What launchd gives every job, whatever its plist says. */
const PATH = '/usr/bin:/bin:/usr/sbin:/sbin'

type Word = 'not running' | 'xpcproxy' | 'running' | 'spawn scheduled' | 'SIGTERMed' | 'SIGKILLed'

/** A job that launchd has loaded: its process, and when the next one is due. */
export class Job {
  readonly plist: JobPlist
  readonly file: string
  readonly domain: string
  word: Word = 'not running'
  runs = 0
  reason = 'speculative'
  exit: { readonly code: number | null; readonly signal: NodeJS.Signals | null } | undefined
  /** It could not be run, and is not tried again. */
  isWedged = false
  readonly #switches: () => Switches
  readonly #home: string
  #child: ChildProcess | undefined
  #startedAt = Number.NEGATIVE_INFINITY
  #timers = new Set<NodeJS.Timeout>()
  #onGone: (() => void) | undefined

  constructor(options: {
    plist: JobPlist
    file: string
    domain: string
    home: string
    switches: () => Switches
  }) {
    this.plist = options.plist
    this.file = options.file
    this.domain = options.domain
    this.#home = options.home
    this.#switches = options.switches
  }

  get pid(): number | undefined {
    return this.#child?.pid
  }

  get isLeaving(): boolean {
    return this.#onGone !== undefined
  }

  load(): void {
    if (this.plist.RunAtLoad && !this.#switches().noRunAtLoad) this.#start('speculative')
  }

  /** @returns false if it blocks for ever, as on a job that can't be run */
  kickstart(isKill: boolean): boolean {
    if (this.isWedged) return false
    if (this.#child && isKill) {
      this.#then(() => this.#start('one-shot'))
      this.signal('SIGKILL')
    } else if (!this.#child && this.word !== 'xpcproxy') {
      if (this.#switches().throttlesKickstart) this.#startWhenDue('one-shot')
      else this.#start('one-shot')
    }
    return true
  }

  signal(signal: NodeJS.Signals): void {
    if (this.#child?.pid !== undefined) process.kill(this.#child.pid, signal)
  }

  /** SIGTERM, and SIGKILL after ExitTimeOut; the label is there until all of that is over. */
  leave(onGone: () => void): void {
    this.#clearTimers()
    const { exitScale, lingerMs } = this.#switches()
    this.#onGone = () => this.#later(lingerMs, onGone)
    if (!this.#child) {
      this.word = 'not running'
      return this.#onGone()
    }
    this.word = 'SIGTERMed'
    this.signal('SIGTERM')
    this.#later(this.plist.ExitTimeOut * 1000 * exitScale, () => {
      this.word = 'SIGKILLed'
      this.signal('SIGKILL')
    })
  }

  /** At the end of a test. */
  async kill(): Promise<void> {
    const child = this.#child
    this.#clearTimers()
    this.#onGone = () => {}
    if (!child) return
    await new Promise<void>((resolve) => {
      child.once('exit', () => resolve())
      this.#killGroup(child)
    })
  }

  #start(reason: string): void {
    this.#clearTimers()
    this.reason = reason
    this.word = 'xpcproxy'
    this.#later(this.#switches().spawnMs, () => this.#spawn())
  }

  #startWhenDue(reason: string): void {
    const { throttleScale } = this.#switches()
    const due = this.#startedAt + this.plist.ThrottleInterval * 1000 * throttleScale
    this.word = 'spawn scheduled'
    this.#clearTimers()
    this.#later(Math.max(0, due - performance.now()), () => this.#start(reason))
  }

  #spawn(): void {
    this.runs++
    this.#startedAt = performance.now()
    const child = this.#tryToSpawn()
    if (!child) {
      this.isWedged = true
      this.exit = { code: 78, signal: null }
      this.word = 'spawn scheduled'
      return
    }
    this.#child = child
    this.word = 'running'
    child.once('exit', (code, signal) => {
      // AbandonProcessGroup is not set.
      this.#killGroup(child)
      this.#child = undefined
      this.exit = { code, signal }
      this.#afterExit()
    })
  }

  #tryToSpawn(): ChildProcess | undefined {
    const { ProgramArguments, EnvironmentVariables, WorkingDirectory, Umask } = this.plist
    const [program = '', ...args] = ProgramArguments
    const { protectedFolder } = this.#switches()
    if (protectedFolder !== undefined && ProgramArguments.some((it) => it.startsWith(protectedFolder)))
      return undefined
    const { username, shell } = userInfo()
    const env = {
      PATH,
      HOME: this.#home,
      USER: username,
      LOGNAME: username,
      SHELL: shell ?? '/bin/sh',
      ...EnvironmentVariables,
      XPC_SERVICE_NAME: this.plist.Label,
    }
    const before = process.umask(Umask)
    const logs: number[] = []
    try {
      accessSync(program, constants.X_OK)
      for (const file of [this.plist.StandardOutPath, this.plist.StandardErrorPath])
        logs.push(openSync(file, 'a', 0o666))
      const stdio = ['ignore' as const, ...logs]
      const child = spawn(program, args, { cwd: WorkingDirectory, detached: true, env, stdio })
      child.on('error', () => {})
      return child.pid === undefined ? undefined : child
    } catch {
      return undefined
    } finally {
      process.umask(before)
      for (const log of logs) closeSync(log)
    }
  }

  #afterExit(): void {
    if (this.#onGone) {
      this.#clearTimers()
      this.word = 'not running'
      return this.#onGone()
    }
    const next = this.#next
    this.#next = undefined
    if (next) return next()
    const isClean = this.exit?.code === 0
    if (this.plist.KeepAlive && isClean === this.plist.KeepAlive.SuccessfulExit)
      this.#startWhenDue('inefficient')
    else this.word = 'not running'
  }

  #next: (() => void) | undefined
  #then(next: () => void): void {
    this.#next = next
  }

  #killGroup({ pid }: ChildProcess): void {
    try {
      process.kill(-pid!, 'SIGKILL')
    } catch {
      // Nobody is left in it.
    }
  }

  #later(afterMs: number, work: () => void): void {
    const timer = setTimeout(() => {
      this.#timers.delete(timer)
      work()
    }, afterMs)
    this.#timers.add(timer)
  }

  #clearTimers(): void {
    for (const timer of this.#timers) clearTimeout(timer)
    this.#timers.clear()
  }
}
