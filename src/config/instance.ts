import { lstatSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { codeOf } from '../errors.ts'
import { givenPath } from '../files/given-path.ts'
import { instanceName, shortHash } from './instance-name.ts'
import { HUB_NAME, type Kind } from './kind.ts'

/** One config file and all that belongs to it. Two instances share nothing but the machine. */
export interface Instance {
  readonly kind: Kind
  /** `default`, or the config file's name without its ending, see instance-name.ts. No two have the same. */
  readonly name: string
  /** The name that it would have if nobody else had it. */
  readonly stem: string
  readonly folder: string
  readonly configFile: string
  /** Says which instance a record is of: one that came here with a copied folder names another file. */
  readonly mainFile: string
  readonly logFile: string
  /** The kept process's id as a bare number, for people and scripts. */
  readonly pidFile: string
  /** Who that process really is, see control/process-record.ts. */
  readonly recordFile: string
  /** Held by the agent or hub for as long as it lives, and by a command that edits its files meanwhile. */
  readonly lockFile: string
  /** Held by a command that starts or stops it, so that two never do so at once. */
  readonly commandLockFile: string
  /** The local control API: a Unix socket, or a named pipe on Windows. */
  readonly socketPath: string
  /** The same with the files of one that waits for the folder of `mainFile`, which has all others. */
  readonly waiting?: Instance
}

/** An agent's. */
export interface AgentInstance extends Instance {
  readonly servicesFile: string
  readonly reachesFile: string
}

/** All places where the process of an instance may say who it is: the first ones while it waits. */
export function placesOf(instance: Instance): readonly Instance[] {
  return instance.waiting ? [instance.waiting, instance] : [instance]
}

/** The folder that holds everything of the default instance. */
export function dataFolder(home = homedir()): string {
  return path.join(home, '.privateconnect')
}

/** sun_path holds 104 bytes on macOS and 108 on Linux, the closing NUL included (unix(4), unix(7)). */
const MAX_SOCKET_PATH = 103

/**
 * @param configFile another instance's config file; its log, PID file and socket then lie beside it
 * @throws ConnectError BAD_VALUE
 */
export function instanceFor(configFile?: string, home = homedir()): AgentInstance {
  const defaultConfig = path.join(dataFolder(home), 'config.json')
  const file = configFile === undefined ? defaultConfig : givenPath(configFile)
  const isDefault = file === defaultConfig
  const stem = stemOf(file)
  const reserved = stem === HUB_NAME
  const folder = path.dirname(file)
  const beside = (name: string) => path.join(folder, isDefault ? name : `${stem}.${name}`)
  return {
    kind: 'agent',
    name: isDefault ? 'default' : instanceName(registryFolder(home), { stem, configFile: file, reserved }),
    stem: isDefault ? 'default' : stem,
    folder,
    configFile: file,
    mainFile: file,
    servicesFile: beside('services.json'),
    reachesFile: beside('reaches.json'),
    logFile: beside('daemon.log'),
    pidFile: beside('daemon.pid'),
    recordFile: beside('agent.json'),
    lockFile: beside('agent.lock'),
    commandLockFile: beside('daemon.lock'),
    socketPath: socketPathFor(beside('agent.sock'), home),
  }
}

/**
 * `staging.json` is called staging; any other ending gets a hash, so that `staging` beside it is
 * not the same.
 */
function stemOf(file: string): string {
  const base = path.basename(file)
  const [, stem] = /^(.+)\.json$/.exec(base) ?? []
  return stem === undefined || stem === 'default' ? `${base}-${shortHash(file).slice(0, 8)}` : stem
}

/** Holds a file for each name that an instance of this user has for good. */
export function registryFolder(home: string): string {
  return path.join(dataFolder(home), 'instances')
}

/** Whether this is the folder that we alone own, and may close to others. */
export function ownsFolder(instance: Instance, home = homedir()): boolean {
  return instance.kind === 'hub' || instance.folder === dataFolder(home)
}

/**
 * Where a socket lies that is wanted here: a named pipe on Windows, and elsewhere if its path would
 * be too long.
 */
export function socketPathFor(wanted: string, home = homedir()): string {
  if (process.platform === 'win32') return `\\\\.\\pipe\\private-connect-${shortHash(wanted)}`
  if (Buffer.byteLength(wanted) <= MAX_SOCKET_PATH) return wanted
  const name = `${shortHash(wanted)}.sock`
  const file = path.join(userFolder(home), name)
  return Buffer.byteLength(file) <= MAX_SOCKET_PATH ? file : path.join(folderInShared(), name)
}

/**
 * Where the processes of this user meet on this machine, whichever homes and instances they belong to: a
 * folder in /tmp. Not in TMPDIR or XDG_RUNTIME_DIR, which a service manager and a shell often see
 * differently: the two would never meet. If another user was first to take its name, it is one of the home
 * folder, whose name nobody else can take.
 *
 * @param home default the user’s
 * @param shared where all users may make folders, default /tmp
 */
export function userFolder(home?: string, shared?: string): string {
  const inShared = folderInShared(shared)
  return isAnothers(inShared) ? folderInHome(home) : inShared
}

/** All that `userFolder` may be. */
export function userFolders(): string[] {
  return [folderInShared(), folderInHome()]
}

function folderInShared(shared = '/tmp'): string {
  return `${shared}/private-connect-${process.getuid?.() ?? 0}`
}

function folderInHome(home = homedir()): string {
  return path.join(dataFolder(home), 'run')
}

/** What can't be looked at is not: whoever uses it hears why. */
function isAnothers(folder: string): boolean {
  try {
    const found = lstatSync(folder, { throwIfNoEntry: false })
    return found !== undefined && found.uid !== process.getuid?.()
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return false
  }
}
