import { existsSync, readFileSync, realpathSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { describeResult } from '../../process/run.ts'
import { recordedHome } from '../../runtime/user-database.ts'
import type { Probe } from '../platform.ts'
import { UserManager } from './manager/systemctl.ts'

/** Parts of the system that are looked at; tests have their own. */
export interface Host {
  readonly env: NodeJS.ProcessEnv
  /** Where the file system begins, default `/`. */
  readonly root?: string
}

/**
 * Whether the daemon could be installed into this user's systemd; if not, the first thing that is in the way.
 */
export async function detectSystemd({ env, root = '/' }: Host): Promise<Probe> {
  const at = (file: string) => path.join(root, file)
  if (!isOnPath('systemctl', env)) return no(otherInit(at) ?? 'there is no systemctl on this machine')
  // sd_booted(3)
  if (!existsSync(at('/run/systemd/system'))) return no(whyNotBooted(at))
  const elsewhere = homeElsewhere()
  if (elsewhere !== undefined) return no(elsewhere)
  const manager = new UserManager(env)
  // Lingering starts a manager: that is for install to try.
  if (!manager.hasSocket) return isOnPath('loginctl', env) ? { available: true } : no('no user manager runs')
  const answer = await manager.ask('is-system-running')
  const state = answer.stdout.trim()
  if (['running', 'degraded', 'starting', 'initializing', 'maintenance'].includes(state))
    return { available: true }
  return no(
    state === 'offline' ? 'your user manager is offline' : `systemctl --user ${describeResult(answer)}`,
  )
}

function no(reason: string): Probe {
  return { available: false, reason }
}

/** The manager looks for units in the home folder that the user database names, whatever HOME says. */
function homeElsewhere(): string | undefined {
  const [here, there] = [homedir(), recordedHome()]
  if (there === undefined) return 'the user database does not know this user (no entry in passwd)'
  if (resolved(here) === resolved(there)) return undefined
  return `HOME is ${here}, but your user manager looks for units in ${there}`
}

function resolved(folder: string): string {
  try {
    return realpathSync(folder)
  } catch {
    return path.resolve(folder)
  }
}

function whyNotBooted(at: (file: string) => string): string {
  if (/microsoft/i.test(readIfThere(at('/proc/version')))) {
    return 'WSL runs without systemd; to have it, add the lines [boot] and systemd=true to /etc/wsl.conf, then run wsl --shutdown in Windows'
  }
  const isContainer =
    existsSync(at('/.dockerenv')) ||
    existsSync(at('/run/.containerenv')) ||
    /(^|\0)container=/.test(readIfThere(at('/proc/1/environ')))
  const one = readIfThere(at('/proc/1/comm')).trim() || 'unknown'
  // Signs, and no proof: virtual machines are made from container images, too.
  if (isContainer) return `this looks like a container, and its process 1 is ${one}, not systemd`
  return otherInit(at) ?? `this machine was not booted with systemd: its process 1 is ${one}`
}

/**
 * By process 1: that another one is merely installed says nothing. OpenRC leaves that to an init of any name.
 */
function otherInit(at: (file: string) => string): string | undefined {
  const inits: Readonly<Record<string, string>> = { runit: 'runit', 's6-svscan': 's6', dinit: 'dinit' }
  const name = existsSync(at('/run/openrc/softlevel'))
    ? 'OpenRC'
    : inits[readIfThere(at('/proc/1/comm')).trim()]
  return name && `this machine runs ${name}, not systemd`
}

function isOnPath(program: string, env: NodeJS.ProcessEnv): boolean {
  return (env.PATH ?? '').split(path.delimiter).some((folder) => existsSync(path.join(folder, program)))
}

function readIfThere(file: string): string {
  try {
    return readFileSync(file, 'latin1')
  } catch {
    // A file that is not ours to read, or not there, tells nothing.
    return ''
  }
}
