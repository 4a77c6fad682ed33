import { existsSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { readJobPlist, type JobPlist } from './job-plist.ts'
import { Job } from './job.ts'
import { listJob, printJob } from './print.ts'
import type { Switches } from './switches.ts'

/** What launchctl prints, and its exit code. */
export interface Answer {
  readonly code: number
  readonly stdout?: string
  readonly stderr?: string
}

/** What a test sees of a job, not by way of `print`. */
export interface SeenJob {
  readonly domain: string
  readonly label: string
  readonly word: string
  readonly pid: number | null
  readonly runs: number
  readonly mark: string | null
  readonly isLeaving: boolean
}

const TEXTS: Readonly<Record<number, string>> = {
  3: 'No such process',
  5: 'Input/output error',
  17: 'File exists',
  36: 'Operation now in progress',
  37: 'Operation already in progress',
  109: 'Invalid property list',
  110: 'Invalid or missing service identifier',
  119: 'Service is disabled',
  122: 'Path had bad ownership/permissions',
  125: 'Domain does not support specified action',
  130: 'Unknown error: 130',
  134: 'Service cannot load in requested session',
}

const OK: Answer = { code: 0 }

/** launchd’s domains of one user, and the jobs in them. */
export class Domains {
  readonly #home: string
  readonly #switches: () => Switches
  readonly #setSwitches: (changed: Partial<Switches>) => void
  readonly #disabled: Map<string, boolean>
  readonly #onDisabled: (disabled: ReadonlyMap<string, boolean>) => void
  readonly #jobs = new Map<string, Job>()

  constructor(options: {
    home: string
    switches: () => Switches
    setSwitches: (changed: Partial<Switches>) => void
    disabled: Map<string, boolean>
    onDisabled: (disabled: ReadonlyMap<string, boolean>) => void
  }) {
    this.#home = options.home
    this.#switches = options.switches
    this.#setSwitches = options.setSwitches
    this.#disabled = options.disabled
    this.#onDisabled = options.onDisabled
  }

  jobs(): SeenJob[] {
    return [...this.#jobs.values()].map(({ domain, plist, word, pid = null, runs, isLeaving }) => {
      const mark = plist.EnvironmentVariables.CONNECT_DEFINITION ?? null
      return { domain, label: plist.Label, word, pid, runs, mark, isLeaving }
    })
  }

  /** launchd reads the folder at each login. */
  login(): void {
    const folder = path.join(this.#home, 'Library', 'LaunchAgents')
    for (const name of existsSync(folder) ? readdirSync(folder) : [])
      for (const domain of [this.#gui, this.#user]) this.#bootstrap(domain, path.join(folder, name))
  }

  async logout(): Promise<void> {
    const jobs = [...this.#jobs.values()]
    this.#jobs.clear()
    await Promise.all(jobs.map((job) => job.kill()))
  }

  call([verb = '', ...args]: readonly string[]): Answer | 'never' {
    const { hangs, hangsAfter, lies, fails } = this.#switches()
    if (hangs.includes(verb)) return 'never'
    const failure = fails[verb]
    if (failure && failure.times > 0) {
      this.#setSwitches({ fails: { ...fails, [verb]: { ...failure, times: failure.times - 1 } } })
      return failed(verb, failure.code)
    }
    if (lies.includes(verb)) return OK
    const answer = this.#do(verb, args)
    return hangsAfter.includes(verb) ? 'never' : answer
  }

  #do(verb: string, args: readonly string[]): Answer | 'never' {
    const [first = '', second = ''] = args
    if (verb === 'bootstrap') return this.#bootstrap(first, second)
    if (verb === 'bootout') return this.#bootout(first)
    if (verb === 'kickstart') return this.#kickstart(args)
    if (verb === 'kill') return this.#kill(first as NodeJS.Signals, second)
    if (verb === 'enable' || verb === 'disable') return this.#enable(first, verb === 'disable')
    if (verb === 'print-disabled') return this.#printDisabled(first)
    if (verb === 'print') return this.#print(first)
    if (verb === 'list') return this.#list(first)
    if (verb === 'load') return this.#load(args.at(-1) ?? '')
    if (verb === 'unload') return this.#unload(args.at(-1) ?? '')
    if (verb === 'start' || verb === 'stop') return this.#startOrStop(verb, first)
    if (verb === 'managername') return { code: 0, stdout: this.#switches().gui ? 'Aqua\n' : 'Background\n' }
    return { code: 64, stderr: `Unrecognized subcommand: ${verb}\n` }
  }

  get #gui(): string {
    return `gui/${process.getuid?.()}`
  }

  get #user(): string {
    return `user/${process.getuid?.()}`
  }

  #has(domain: string): boolean {
    const { gui, user } = this.#switches()
    return (domain === this.#gui && gui) || (domain === this.#user && user)
  }

  #bootstrap(domain: string, file: string): Answer {
    const { refusedFolder, forbidden, busyCode } = this.#switches()
    const no = (code: number) => failed('bootstrap', code)
    if (!this.#has(domain)) return no(125)
    if (refusedFolder !== undefined && file.startsWith(refusedFolder)) return no(5)
    const plist = readJobPlist(file)
    if (typeof plist === 'number') return no(plist)
    const { Label, LimitLoadToSessionType } = plist
    if (!LimitLoadToSessionType.includes(domain === this.#gui ? 'Aqua' : 'Background')) return no(134)
    if (forbidden !== 0) return no(forbidden)
    if (this.#disabled.get(Label)) return no(5)
    if (this.#jobs.has(`${domain}/${Label}`)) return no(busyCode)
    this.#add(domain, file, plist)
    return OK
  }

  #add(domain: string, file: string, plist: JobPlist): void {
    const job = new Job({ plist, file, domain, home: this.#home, switches: this.#switches })
    this.#jobs.set(`${domain}/${plist.Label}`, job)
    job.load()
  }

  /** It comes back before the job is gone. */
  #bootout(target: string): Answer {
    const job = this.#jobs.get(target)
    if (!job) return this.#absent(target, failed('bootout', 3))
    if (job.isLeaving) return failed('bootout', 36)
    job.leave(() => this.#jobs.delete(target))
    return OK
  }

  #kickstart(args: readonly string[]): Answer | 'never' {
    const target = args.at(-1) ?? ''
    const job = this.#jobs.get(target)
    if (!job) return this.#absent(target, couldNotFind(target))
    if (job.isLeaving) return failed('kickstart', 37)
    return job.kickstart(args.includes('-k')) ? OK : 'never'
  }

  #kill(signal: NodeJS.Signals, target: string): Answer {
    const job = this.#jobs.get(target)
    if (!job) return this.#absent(target, failed('kill', 3))
    if (job.pid === undefined) return failed('kill', 3)
    job.signal(signal)
    return OK
  }

  #enable(target: string, isDisabled: boolean): Answer {
    const [domain, label] = split(target)
    if (!this.#has(domain)) return failed('enable', 125)
    if (this.#switches().forbidden === 0) this.#disabled.set(label, isDisabled)
    this.#onDisabled(this.#disabled)
    return OK
  }

  #printDisabled(domain: string): Answer {
    if (!this.#has(domain)) return noDomain(domain)
    const isForbidden = this.#switches().forbidden !== 0
    const known = isForbidden ? new Map([['co.privateconnect.agent', true]]) : this.#disabled
    const lines = [...known].map(([label, is]) => `\t\t"${label}" => ${is ? 'disabled' : 'enabled'}\n`)
    return {
      code: 0,
      stdout: `\tdisabled services = {\n\t\t"com.apple.Siri.agent" => disabled\n${lines.join('')}\t}\n`,
    }
  }

  #print(target: string): Answer {
    const job = this.#jobs.get(target)
    if (job) return { code: 0, stdout: printJob(job, this.#switches().print) }
    return this.#absent(target, { code: 113, stderr: `Bad request.\n${couldNotFind(target).stderr}` })
  }

  /** Of one that is not there. */
  #absent(target: string, otherwise: Answer): Answer {
    const [domain] = split(target)
    return this.#has(domain) ? otherwise : noDomain(domain)
  }

  /** The old ones know the caller’s own domain only. */
  #own(label: string): Job | undefined {
    return this.#jobs.get(`${this.#switches().gui ? this.#gui : this.#user}/${label}`)
  }

  #list(label: string): Answer {
    if (label === '') {
      const lines = [...this.#jobs.values()].map(({ pid, exit, plist }) => {
        const status = exit?.signal ? -15 : (exit?.code ?? 0)
        return `${pid ?? '-'}\t${status}\t${plist.Label}\n`
      })
      return { code: 0, stdout: `PID\tStatus\tLabel\n${lines.join('')}` }
    }
    const job = this.#own(label)
    if (job) return { code: 0, stdout: listJob(job) }
    return { code: 113, stderr: `Could not find service "${label}" in domain for port\n` }
  }

  /** Whatever becomes of it, it exits 0. */
  #load(file: string): Answer {
    const { code } = this.#bootstrap(this.#switches().gui ? this.#gui : this.#user, file)
    if (code === 0) return OK
    const hint = code === 5 ? 'Try running `launchctl bootstrap` as root for richer errors.\n' : ''
    return { code: 0, stderr: `Load failed: ${code}: ${TEXTS[code]}\n${hint}` }
  }

  #unload(file: string): Answer {
    const job = this.#own(path.basename(file, '.plist'))
    if (job && !job.isLeaving) return this.#bootout(`${job.domain}/${job.plist.Label}`)
    return { code: 0, stderr: 'Unload failed: 5: Input/output error\n' }
  }

  #startOrStop(verb: 'start' | 'stop', label: string): Answer {
    const job = this.#own(label)
    if (!job) return { code: 3 }
    if (verb === 'stop') job.signal('SIGTERM')
    else job.kickstart(false)
    return OK
  }
}

function split(target: string): [domain: string, label: string] {
  const [kind = '', uid = '', ...label] = target.split('/')
  return [`${kind}/${uid}`, label.join('/')]
}

function failed(verb: string, code: number): Answer {
  const name = { bootstrap: 'Bootstrap', bootout: 'Boot-out', kickstart: 'Kickstart' }[verb] ?? verb
  const hint = code === 5 ? 'Try re-running the command as root for richer errors.\n' : ''
  return { code, stderr: `${name} failed: ${code}: ${TEXTS[code] ?? `Unknown error: ${code}`}\n${hint}` }
}

function domainName(domain: string): string {
  const [kind, uid] = domain.split('/')
  return `user ${kind}: ${uid}`
}

function couldNotFind(target: string): Answer {
  const [domain, label] = split(target)
  return { code: 113, stderr: `Could not find service "${label}" in domain for ${domainName(domain)}\n` }
}

function noDomain(domain: string): Answer {
  return { code: 112, stderr: `Could not find domain for ${domainName(domain)}\n` }
}
