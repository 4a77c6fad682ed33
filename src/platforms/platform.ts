import type { Instance } from '../config/instance.ts'
import type { FoundProcess } from '../control/find-process.ts'
import type { Termination } from '../process/terminate.ts'

/**
 * What keeps an agent or the hub alive, here called the daemon: launchd, systemd, a plain background process,
 * or what a plugin brings. The words are those of kardianos/service
 * (https://pkg.go.dev/github.com/kardianos/service).
 *
 * What changes anything is an `Action`: the platform says in which steps it is done, and whoever
 * calls runs them.
 */
export interface Platform {
  /**
   * What install would write and run. Changes nothing. A plugin may do without: then there is no
   * --dry-run for it.
   */
  plan?(daemon: Daemon): Promise<InstallPlan>
  /**
   * Installs the daemon, starts it, and looks whether it stays. Doing it again changes nothing,
   * unless something differs. If a step fails, what was installed before is put back, and runs again if it
   * ran.
   *
   * @throws ConnectError in a step: INSTALL_UNSUPPORTED if nothing can be installed into this platform,
   * DAEMON_FAILED if the daemon ended by itself
   */
  install(daemon: Daemon, options: StartOptions): Action<Installed>
  /** Removes what install has made. The result is undefined if there was nothing to remove. */
  uninstall(): Action<Uninstalled | undefined>
  /**
   * Starts the daemon and looks whether it stays.
   *
   * @throws ConnectError in a step: DAEMON_FAILED if it ended by itself
   */
  start(daemon: Daemon, options: StartOptions): Action<Started>
  /**
   * Stops the daemon and starts it again, where that can be done better than by stop and start.
   *
   * @param found what `status` has just told: it runs
   * @throws ConnectError in a step: DAEMON_FAILED if it ended by itself
   */
  restart?(daemon: Daemon, options: StartOptions): Action<Started>
  /**
   * Stops the daemon. The result is undefined if it wasn't running.
   *
   * @param found what `status` has just told
   * @throws ConnectError in a step: DAEMON_WONT_STOP
   */
  stop(found: PlatformStatus): Action<Termination | undefined>
  /** Looks, and changes nothing but what is certainly left over; with `lookOnly`, not even that. */
  status(options?: StatusOptions): Promise<PlatformStatus>
  /** Where it depends on a setting of the user's whether services outlive their logins. */
  readonly lingering?: Lingering
}

/** Whether a user's services start on boot and stay after a logout, as loginctl(1) has it. */
export interface Lingering {
  read(): Promise<'on' | 'off' | 'unknown'>
  /** Turns it on. @returns why it isn't; undefined if it is */
  enable(): Promise<string | undefined>
  /** For a user who may not turn it on. */
  readonly command: string
}

export interface StatusOptions {
  readonly lookOnly?: boolean
}

/** What is done in steps, one after another: each is a line of the list that a person watches. */
export interface Action<T> {
  /** In order; nothing is done before the first step is run, nor after a step that fails. */
  readonly steps: readonly Step[]
  /** What came of the action. Asked once all steps have been run. */
  readonly result: () => T
}

export interface Step {
  /** What is being done, such as `Send SIGTERM`. */
  readonly title: string
  /** The longest that the step waits for something to happen, in ms: a terminal sees the seconds counted. */
  readonly waitMs?: number
  /** @returns why there was nothing to do, where that is so */
  readonly run: () => Promise<Skipped | void>
}

export interface Skipped {
  /** The reason, such as `it has exited`. */
  readonly skipped: string
}

/** A plugin may say less of what it has done: its status tells the rest. */
export interface PluginPlatform extends Omit<Platform, 'install' | 'uninstall' | 'restart' | 'lingering'> {
  install(daemon: Daemon, options: StartOptions): Action<Installed | void>
  /** Its result may be `true` if the daemon was removed. */
  uninstall(): Action<Uninstalled | boolean | undefined>
}

/** One of `apiVersion` 1, which tells no steps: each action counts as one. */
export interface Stepless extends Pick<Platform, 'plan' | 'status'> {
  install(daemon: Daemon, options: StartOptions): Promise<Installed | void>
  uninstall(): Promise<Uninstalled | boolean | undefined>
  start(daemon: Daemon, options: StartOptions): Promise<Started>
  stop(): Promise<Termination | undefined>
}

export interface InstallPlan {
  /** What install would report; a plugin may not say. */
  readonly change?: Installed['change']
  readonly files: readonly { readonly file: string; readonly content: string }[]
  /** Programs and their arguments, in order. */
  readonly commands: readonly (readonly string[])[]
  /** What may keep the daemon from running, and what to do about it, a sentence each. */
  readonly warnings?: readonly string[]
}

export interface Installed extends Started {
  readonly change: 'created' | 'updated' | 'unchanged'
  /** What it was written to; a plugin may not say. */
  readonly file?: string
  readonly autostart: PlatformStatus['autostart']
  /** What did not go as it should, and what to do about it. */
  readonly warnings: readonly string[]
}

export interface Uninstalled {
  /** Absolute paths. */
  readonly removed: readonly string[]
  readonly warnings: readonly string[]
}

/** The command line to keep alive, and all it needs. */
export interface Daemon {
  /** Absolute path of the program, then its arguments. */
  readonly command: readonly [string, ...string[]]
  /** The caller's environment, less its secrets, plus what tells the agent that it is the daemon. */
  readonly env: NodeJS.ProcessEnv
  /** Absolute. */
  readonly cwd: string
  /** Absolute; takes whatever the agent doesn't write there itself. */
  readonly logFile: string
}

export interface StartOptions {
  /** Whether the process of that number is up and connected. */
  readonly isReady: (pid: number) => Promise<boolean>
  /** How long the process must live to count as started, if it isn't ready before; in ms. */
  readonly stableMs: number
}

export interface Started {
  readonly pid: number
  /** The agent is connected; otherwise it merely lives. */
  readonly ready: boolean
  /** What was installed differed from what this version would write, and was written anew. */
  readonly updated?: string
  /** What became of the process that ran before, where this start has stopped it. */
  readonly stopped?: Termination
}

export interface PlatformStatus {
  /**
   * `restarting`: it has ended, and is started again after a pause. `unknown` if the system's answer can't be
   * read: never taken for stopped.
   */
  readonly state: 'running' | 'starting' | 'restarting' | 'stopping' | 'stopped' | 'unknown'
  readonly pid?: number
  /** Why the state is what it is, where that needs saying. */
  readonly reason?: string
  /**
   * What else is to be known, a sentence each: settings that differ, what is in the way of its next start.
   */
  readonly notes?: readonly string[]
  /** RFC 3339 */
  readonly startedAt?: string
  readonly installed: boolean
  /**
   * When the daemon starts by itself, without anyone's command. `manager`: whenever its service manager
   * starts, which is not seen to be on boot.
   */
  readonly autostart: 'boot' | 'login' | 'manager' | 'never'
  /** With `manager`: how to have that start on boot, a sentence. */
  readonly bootHint?: string
  /** How often the platform has started the daemon again; undefined where it doesn't count. */
  readonly restarts?: number
  /**
   * How the last one ended: this one, or the one before it if this one runs; undefined where it doesn't tell.
   */
  readonly lastExit?: { readonly code: number | null; readonly signal: string | null }
  /** The manager has it twice, so that one waits for the other; where and how, as a sentence. */
  readonly doubled?: string
  /** Files that named a process which is gone have been removed. */
  readonly cleanedUp?: boolean
  /** An agent runs, but in someone's terminal and not as the daemon. */
  readonly foregroundPid?: number
  /**
   * What was found of an agent that was started in the background, which `stop` is to end; on another
   * platform one that runs beside it. A plugin leaves this out: it is looked for.
   */
  readonly background?: Extract<FoundProcess, { state: 'running' | 'unknown' }>
}

/**
 * What is known of a platform before it is loaded: small, so that only the one that is picked costs anything.
 */
export interface PlatformDescription<P = Platform> {
  /** 2 if the platform tells its actions in steps, 1 if not: see Stepless. */
  readonly apiVersion: P extends PluginPlatform ? 2 : 1
  readonly name: string
  /** What the platform does for the user, for `status`. */
  readonly summary: string
  /** Whether the daemon could be installed here, and if not, exactly why. */
  probe(context: PlatformContext): Promise<Probe>
  /** Whether this instance is installed in this platform. Cheap: a look at a file. */
  isInstalled(context: PlatformContext): Promise<boolean>
  load(context: PlatformContext): Promise<P>
}

export type PluginDescription = PlatformDescription<PluginPlatform> | PlatformDescription<Stepless>

export type Probe = { readonly available: true } | { readonly available: false; readonly reason: string }

export interface PlatformContext {
  readonly instance: Instance
  readonly env: NodeJS.ProcessEnv
}
