import path from 'node:path'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { root as checkout, type CliResult } from '../../helpers/cli.ts'
import { Keeper } from './keeper.ts'
import { asUser, quoted, type Command, type InMachine } from './machine-command.ts'
import { run, runOk, start } from './run.ts'
import type { Needs } from './suite.ts'

/** What must be there to have a machine. */
export const machineNeeds: Needs = {
  programs: ['systemd-nspawn', 'debootstrap', 'unshare', 'setpriv', 'nsenter', 'flock'],
  root: true,
  namespaces: true,
}

/** The limit for a hook that calls `Machine.start`, which may have to make the tree first. */
export const MACHINE_START_MS = 600_000

const BOOT_MS = 120_000

let machines = 0

export interface MachineOptions {
  /** Whether polkit is installed, by which users may do some of what otherwise only root may; default no. */
  readonly polkit?: boolean
  /** Its host name; default one of its own. */
  readonly name?: string
  /** A network of its own, see Lan.via; default the host's. */
  readonly via?: readonly string[]
  /** Folders of the host that it has to read, by where they are there. */
  readonly folders?: Readonly<Record<string, string>>
}

export interface MachineProcess {
  /** As it is numbered in the machine. */
  readonly pid: number
  readonly user: string
  readonly command: string
}

/**
 * A Debian with a systemd of its own as process 1, that can be rebooted. By default it has the host's
 * network: what listens on 127.0.0.1 of one is reached from the other, and a port can be taken only once. Of
 * the rest of the host it has the checkout and Node.js, to read. It ends with this process at the latest, and
 * leaves nothing.
 */
export class Machine {
  readonly name: string
  readonly #keeper: Keeper

  private constructor(name: string, keeper: Keeper) {
    this.name = name
    this.#keeper = keeper
  }

  /** Makes one and boots it: seconds, or a minute where its tree is not made yet. */
  static async start(options: MachineOptions = {}): Promise<Machine> {
    const name = options.name ?? `machine-${process.pid}-${++machines}`
    const script = path.join(checkout, 'scripts', 'lab-image.sh')
    const kind = options.polkit ? 'polkit' : 'plain'
    const tree = (await runOk('bash', [script, kind], { timeoutMs: MACHINE_START_MS })).trim()
    const binds = { [process.execPath]: '/usr/local/bin/node', [checkout]: '/opt/private-connect' }
    const folders = Object.entries({ ...binds, ...options.folders })
    const bound = folders.map(([here, there]) => `--bind-ro=${here}:${there}`)
    const keeper = await Keeper.start(tree, name, bound, options.via)
    const machine = new Machine(name, keeper)
    try {
      await machine.boot()
    } catch (error) {
      await machine.stop()
      throw error
    }
    return machine
  }

  /** The host's process that all of the machine ends with. */
  get keeperPid(): number {
    return this.#keeper.pid
  }

  /** Turns it on, after `powerOff` or `cutPower`, and waits until it is up. */
  async boot(): Promise<void> {
    await this.#keeper.boot()
    let state = ''
    const isUp = await waitFor(
      async () => {
        // Early on there is nobody to answer yet.
        const wait = ['systemctl', 'is-system-running', '--wait']
        state = (await this.run(wait, { as: 'root', session: 'bare', timeoutMs: BOOT_MS })).stdout.trim()
        return ['running', 'degraded'].includes(state) ? true : undefined
      },
      { timeoutMs: BOOT_MS },
    )
    if (!isUp) throw new Error(`${this.name} is not up but "${state}":\n${this.#keeper.output}`)
  }

  /** From inside, as its users do. It is up again afterwards, and no one has logged in. */
  async reboot(): Promise<void> {
    await this.#shutDown('reboot', 133)
    await this.boot()
  }

  /** Shuts it down in order. The disk stays; `boot` turns it on again. */
  async powerOff(): Promise<void> {
    await this.#shutDown('poweroff', 0)
  }

  /**
   * As if the plug was pulled: nothing in it has time for anything. What was written stays, synced or not.
   */
  async cutPower(): Promise<void> {
    process.kill(this.#init, 'SIGKILL')
    await this.#keeper.isOff()
  }

  /** Ends it, whatever it is at, and removes all there is of it. */
  async stop(): Promise<void> {
    await this.#keeper.stop()
  }

  /** What to run in a terminal of the host, to run that in the machine as who has logged in. */
  inTerminal(command: Command, env: Readonly<Record<string, string>>): readonly string[] {
    return ['sh', ...this.#enter(command, { env })]
  }

  /** Runs a command to its end, in its user's home folder. */
  async run(command: Command, options: InMachine = {}): Promise<CliResult> {
    const { input, timeoutMs } = options
    return run('sh', this.#enter(command, options), {
      ...(input !== undefined && { input }),
      ...(timeoutMs !== undefined && { timeoutMs }),
    })
  }

  /** What to run in a terminal to be logged in on it, with that terminal. */
  get loginCommand(): readonly string[] {
    return ['sh', ...this.#enter('', { session: 'terminal' })]
  }

  /** Logs in, and stays so until `logoutAll`. */
  async login(as: InMachine['as'] = 'dev'): Promise<void> {
    const session = start('sh', this.#enter('echo logged in; exec sleep infinity', { as }))
    await session.printed(/logged in/)
  }

  /** Runs it and throws unless it exits 0. @returns stdout */
  async runOk(command: Command, options: InMachine = {}): Promise<string> {
    const { code, signal, stdout, stderr } = await this.run(command, options)
    if (code === 0) return stdout
    const words = typeof command === 'string' ? command : command.join(' ')
    throw new Error(`on ${this.name}, ${words} ended with ${code ?? signal}:\n${stdout}${stderr}`)
  }

  /** Runs the built program, which lies where npm puts a global one. */
  async connect(args: readonly string[], options: InMachine = {}): Promise<CliResult> {
    return this.run(['connect', ...args], options)
  }

  /** Runs it and throws unless it exits 0. @returns stdout */
  async connectOk(args: readonly string[], options: InMachine = {}): Promise<string> {
    return this.runOk(['connect', ...args], options)
  }

  /**
   * Reads a file.
   *
   * @param file absolute, or from the user's home folder on
   */
  async read(file: string, as: InMachine['as'] = 'dev'): Promise<string> {
    return this.runOk(['cat', '--', file], { as, session: 'bare' })
  }

  /** Writes a file, and the folders on the way to it, all of which its user then owns. */
  async write(file: string, text: string, as: InMachine['as'] = 'dev'): Promise<void> {
    const line = `mkdir -p -- ${quoted([path.dirname(file)])} && cat >${quoted([file])}`
    await this.runOk(line, { as, session: 'bare', input: text })
  }

  /**
   * Where the host finds a file of its disk, also while it is off. Not to be followed through symbolic links:
   * an absolute one leads to the host's own files.
   */
  onDisk(file: string): string {
    return this.#keeper.onDisk(file)
  }

  /** Whether its user's manager stays when no one is logged in. */
  async lingers(): Promise<boolean> {
    const answer = await this.run(['loginctl', 'show-user', 'dev', '--property=Linger', '--value'], asRoot)
    // Of a user who neither lingers nor is logged in nothing is known: an error.
    return answer.stdout.trim() === 'yes'
  }

  /** As root, who always may. */
  async setLinger(lingers: boolean): Promise<void> {
    await this.runOk(['loginctl', lingers ? 'enable-linger' : 'disable-linger', 'dev'], asRoot)
  }

  /**
   * Ends all sessions with all that runs in them, and waits until the manager of users who don't linger is
   * gone.
   */
  async logoutAll(): Promise<void> {
    const sessions = `loginctl --no-legend list-sessions | awk '{ print $1 }'`
    await this.runOk(`${sessions} | xargs -r loginctl terminate-session`, asRoot)
    // systemd keeps it for 10 s, lest someone comes back.
    const isOut = async () => {
      const left = await this.runOk(`${sessions}; ${MANAGED_USERS}`, asRoot)
      return left === '' ? true : undefined
    }
    if (!(await waitFor(isOut, { timeoutMs: 60_000, everyMs: 200 })))
      throw new Error(`someone stays on ${this.name}`)
  }

  /** All that run in it; whoever looks aside. */
  async processes(): Promise<MachineProcess[]> {
    const list = await this.runOk(['ps', '-eww', '-o', 'pid=,user:32=,args='], asRoot)
    return [...list.matchAll(/^\s*(\d+)\s+(\S+)\s+(.*)$/gm)]
      .map(([, pid, user, command]) => ({ pid: Number(pid), user: user!, command: command! }))
      .filter(({ command }) => !command.startsWith('ps -eww '))
  }

  async #shutDown(verb: 'reboot' | 'poweroff', expected: number): Promise<void> {
    // Of its own end it is of no interest: it may be ended with the machine.
    const { stderr } = await this.run(['systemctl', verb], asRoot)
    const code = await this.#keeper.isOff()
    if (code !== expected) throw new Error(`${verb} of ${this.name} ended with ${code}: ${stderr}`)
  }

  /** @returns arguments of `sh` by which it enters the machine and becomes that command */
  #enter(command: Command, options: InMachine): string[] {
    // Where systemd has what cron starts: entering the machine alone leaves a process in the host's own
    // group.
    const cgroup = this.#keeper.cgroup('system.slice/cron.service')
    const enter = 'mkdir -p "$0" && echo $$ >"$0/cgroup.procs" && exec nsenter --all --target "$@"'
    return ['-c', enter, cgroup, String(this.#init), ...asUser(command, options)]
  }

  get #init(): number {
    const init = this.#keeper.findInit()
    if (init === undefined) throw new Error(`${this.name} is off`)
    return init
  }
}

const asRoot: InMachine = { as: 'root', session: 'bare' }

/** Prints who has a manager only for as long as they are logged in. */
const MANAGED_USERS = `loginctl --no-legend list-users | awk '{ print $2 }' | while read -r user; do
  [ "$(loginctl show-user "$user" --property=Linger --value)" = yes ] || echo "$user"
done`
