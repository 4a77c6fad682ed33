import type { Instance } from '../config/instance.ts'
import type { Termination } from '../process/terminate.ts'

/**
 * What keeps the agent alive: launchd, systemd, a plain background process, or what a plugin brings. The words are
 * those of kardianos/service (https://pkg.go.dev/github.com/kardianos/service).
 */
export interface Platform {
  /** @throws ConnectError INSTALL_UNSUPPORTED if it can't be installed into */
  install(daemon: Daemon): Promise<void>
  /** @returns false if there was nothing to remove */
  uninstall(): Promise<boolean>
  /**
   * Starts the daemon and looks whether it stays.
   *
   * @throws ConnectError DAEMON_FAILED if it ended by itself
   */
  start(daemon: Daemon, options: StartOptions): Promise<Started>
  /** @returns undefined if it wasn't running @throws ConnectError DAEMON_WONT_STOP */
  stop(): Promise<Termination | undefined>
  /** Looks, and changes nothing but what is certainly left over. */
  status(): Promise<PlatformStatus>
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
  /** How long it must live to count as started, if it isn't ready before; in ms. */
  readonly stableMs: number
}

export interface Started {
  readonly pid: number
  /** It is connected; otherwise it merely lives. */
  readonly ready: boolean
}

export interface PlatformStatus {
  /** `unknown` if the system's answer can't be read: never taken for stopped. */
  readonly state: 'running' | 'stopped' | 'unknown'
  readonly pid?: number
  /** Why the state is unknown, and what to do about it. */
  readonly reason?: string
  /** RFC 3339 */
  readonly startedAt?: string
  readonly installed: boolean
  /** When it starts by itself, without anyone's command. */
  readonly startsAt: 'boot' | 'login' | 'never'
  /** How often the platform has started it again; undefined where it doesn't count. */
  readonly restarts?: number
  /** Files that named a process which is gone have been removed. */
  readonly cleanedUp?: boolean
  /** An agent runs, but in someone's terminal and not as the daemon. */
  readonly foregroundPid?: number
}

/** What is known of a platform before it is loaded: small, so that only the one that is picked costs anything. */
export interface PlatformDescription {
  readonly apiVersion: 1
  readonly name: string
  /** What it does for the user, for `status`. */
  readonly summary: string
  /** Whether the daemon could be installed here, and if not, exactly why. */
  probe(context: PlatformContext): Promise<Probe>
  /** Whether this instance is installed in it. Cheap: a look at a file. */
  isInstalled(context: PlatformContext): Promise<boolean>
  load(context: PlatformContext): Promise<Platform>
}

export type Probe = { readonly available: true } | { readonly available: false; readonly reason: string }

export interface PlatformContext {
  readonly instance: Instance
  readonly env: NodeJS.ProcessEnv
}
