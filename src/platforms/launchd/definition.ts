import { createHash } from 'node:crypto'
import { build } from 'plist'
import { ConnectError } from '../../errors.ts'
import { GRACE_PERIOD_S } from '../../process/grace-period.ts'
import type { Daemon } from '../platform.ts'
import { serviceEnvironment } from '../service-environment.ts'

/**
 * The variable by which `launchctl print` tells which plist launchd has read: kickstart does not
 * read it anew.
 */
const MARK = 'CONNECT_DEFINITION'

/**
 * The plist: see launchd.plist(5).
 *
 * @throws ConnectError INSTALL_UNSUPPORTED if a word holds what no plist can
 */
export function plistText(daemon: Daemon, label: string): string {
  const unmarked = textWith(daemon, label, '')
  return textWith(daemon, label, markOf(unmarked))
}

/**
 * The mark that stands in a plist, and whether it is that of its text: whoever edits it by hand does
 * not change it.
 */
export function readMark(text: string): { mark: string; isEdited: boolean } | undefined {
  const [whole, before, mark] =
    /(<key>CONNECT_DEFINITION<\/key>\s*)<string>([0-9a-f]{16})<\/string>/.exec(text) ?? []
  if (whole === undefined || mark === undefined) return undefined
  return { mark, isEdited: markOf(text.replace(whole, `${before}<string></string>`)) !== mark }
}

function markOf(unmarked: string): string {
  return createHash('sha256')
    .update(unmarked.replaceAll('<string/>', '<string></string>'))
    .digest('hex')
    .slice(0, 16)
}

function textWith(daemon: Daemon, label: string, mark: string): string {
  const { command, cwd, env, logFile } = daemon
  const home = env.HOME ? { HOME: env.HOME } : {}
  const job = {
    Label: label,
    ProgramArguments: [...command],
    EnvironmentVariables: { ...serviceEnvironment(daemon, 'launchd'), ...home, [MARK]: mark },
    WorkingDirectory: cwd,
    RunAtLoad: true,
    // NetworkState does nothing any more (launchd.plist(5)), and no harm.
    KeepAlive: { SuccessfulExit: false, NetworkState: true },
    StandardOutPath: logFile,
    StandardErrorPath: logFile,
    ThrottleInterval: 10,
    ExitTimeOut: GRACE_PERIOD_S,
    // A process of any other type is slowed down in its timers and its network.
    ProcessType: 'Interactive',
    // Background is where a login by ssh is.
    LimitLoadToSessionType: ['Aqua', 'Background'],
    Umask: 0o077,
  }
  refuseControlCharacters(job)
  return `${build(job)}\n`
}

/**
 * XML can't hold most control characters, and `launchctl print` would show line breaks as lines of its own.
 */
function refuseControlCharacters(value: unknown): void {
  if (typeof value === 'string' && (/\p{Cc}/u.test(value) || !value.isWellFormed())) {
    const message = `A plist can’t hold control characters: ${JSON.stringify(value)}`
    throw new ConnectError('INSTALL_UNSUPPORTED', message, { hints: ['Move it to another folder.'] })
  }
  if (typeof value === 'object' && value !== null) Object.values(value).forEach(refuseControlCharacters)
}
