import { spawn } from 'node:child_process'
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { RunningCli } from '../../helpers/cli.ts'

const TIMEOUT_MS = 120_000

/** The process that holds a machine's namespaces and disk, and boots it. */
export class Keeper {
  readonly #process: RunningCli
  readonly #boot: () => void
  #boots = 0

  private constructor(running: RunningCli, boot: () => void) {
    this.#process = running
    this.#boot = boot
  }

  /** @param via what to run it by, to have it in another network */
  static async start(
    tree: string,
    name: string,
    nspawnOptions: readonly string[],
    via: readonly string[] = [],
  ): Promise<Keeper> {
    const script = path.join(import.meta.dirname, 'keeper.sh')
    // Whatever this process dies of, the keeper is told.
    const told = ['--pdeathsig', 'TERM', ...via, 'unshare', '--mount', '--propagation', 'private']
    const child = spawn('setpriv', [...told, 'bash', script, tree, name, ...nspawnOptions], {
      stdio: ['pipe', 'pipe', 'pipe'],
      // Ctrl-C in a terminal is for the tests, which then end it.
      detached: true,
    })
    const running = new RunningCli(child, `beside the machine ${name}`)
    child.stdin.on('error', () => {})
    const keeper = new Keeper(running, () => void child.stdin.write('boot\n'))
    await running.printed(/^keeper ready$/m)
    return keeper
  }

  get pid(): number {
    return this.#process.pid
  }

  /** What it and the machine's console have printed. */
  get output(): string {
    return this.#process.output
  }

  /** Boots the machine. @returns when it has a process 1 */
  async boot(): Promise<void> {
    this.#boots++
    this.#boot()
    const init = await waitFor(() => this.findInit(), { timeoutMs: TIMEOUT_MS, everyMs: 20 })
    if (init === undefined) throw new Error(`the machine does not boot:\n${this.output}`)
  }

  /** Waits until the machine is off. @returns the exit code of systemd-nspawn */
  async isOff(): Promise<number> {
    const [, code] = await this.#process.printed(
      new RegExp(`^boot ${this.#boots} off (\\d+)$`, 'm'),
      TIMEOUT_MS,
    )
    return Number(code)
  }

  /** @returns the number that the machine's process 1 has on the host, undefined while it is off */
  findInit(): number | undefined {
    const members = readIfThere(this.cgroup('init.scope/cgroup.procs')) ?? ''
    return members
      .split('\n')
      .filter((pid) => pid !== '')
      .map(Number)
      .find((pid) => /^NSpid:.*\s1$/m.test(readIfThere(`/proc/${pid}/status`) ?? ''))
  }

  /** A file of the machine's disk, as the host reaches it. */
  onDisk(file: string): string {
    return path.join(this.#home, 'disk', file)
  }

  /** A control group of the machine, as the host reaches it. */
  cgroup(name: string): string {
    return path.join(this.#home, 'cgroup', `private-connect-lab-${this.pid}`, 'payload', name)
  }

  /** Ends it, and the machine with it, whatever it is at. */
  async stop(): Promise<void> {
    await this.#process.stop('SIGTERM')
  }

  /** Only there in the keeper's own mount namespace. */
  get #home(): string {
    return `/proc/${this.pid}/root/run/machine`
  }
}

function readIfThere(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8')
  } catch (error) {
    // ESRCH and ENODEV: a process, a control group that goes while it is being read.
    if (['ENOENT', 'ESRCH', 'ENODEV'].includes(codeOf(error) ?? '')) return undefined
    throw error
  }
}
