/** What launchd is known to do, each for a test to turn on. */
export interface Switches {
  /** Someone is logged in at the screen. */
  readonly gui: boolean
  /** Someone is logged in at all. */
  readonly user: boolean
  /** How long a job is still there after its process is gone. */
  readonly lingerMs: number
  /** What `bootstrap` says while an old job of that label is there. */
  readonly busyCode: 5 | 17 | 37 | 130
  /** Calls that never come back and do nothing, by their first word. */
  readonly hangs: readonly string[]
  /** Calls that do what they should, and never come back. */
  readonly hangsAfter: readonly string[]
  /** Calls that fail with a code, a number of times. */
  readonly fails: Readonly<Record<string, { readonly code: number; readonly times: number }>>
  /** Calls that exit 0 and do nothing. */
  readonly lies: readonly string[]
  /** RunAtLoad and KeepAlive come to nothing until someone asks by `kickstart`. */
  readonly noRunAtLoad: boolean
  /** Login Items: `enable` changes nothing, and `bootstrap` says this. */
  readonly forbidden: 0 | 5 | 119
  /** Below it launchd reads no plist: a home on another disk. */
  readonly refusedFolder: string | undefined
  /** Below it launchd runs no program: a folder that macOS protects. */
  readonly protectedFolder: string | undefined
  /** How long a process takes to be there. */
  readonly spawnMs: number
  /** `kickstart` waits for ThrottleInterval too. */
  readonly throttlesKickstart: boolean
  readonly print: 'as now' | 'as on Mojave' | 'without environment' | 'garbled' | 'cut short'
  /** What ThrottleInterval and ExitTimeOut are multiplied by. */
  readonly throttleScale: number
  readonly exitScale: number
}

export const WELL: Switches = {
  gui: true,
  user: true,
  lingerMs: 0,
  busyCode: 5,
  hangs: [],
  hangsAfter: [],
  fails: {},
  lies: [],
  noRunAtLoad: false,
  forbidden: 0,
  refusedFolder: undefined,
  protectedFolder: undefined,
  spawnMs: 0,
  throttlesKickstart: false,
  print: 'as now',
  throttleScale: 0.05,
  exitScale: 1,
}
