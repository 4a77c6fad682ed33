import type { KindWords } from '../../config/kind.ts'
import { ConnectError } from '../../errors.ts'
import { GRACE_PERIOD_S } from '../../process/grace-period.ts'
import type { Daemon } from '../platform.ts'
import { serviceEnvironment } from '../service-environment.ts'

/**
 * The unit: see systemd.unit(5), systemd.service(5), systemd.exec(5) and systemd.kill(5).
 *
 * @throws ConnectError INSTALL_UNSUPPORTED if a path holds what no unit can
 */
export function unitText(daemon: Daemon, { command: ours, description }: KindWords): string {
  const { command, logFile } = daemon
  const [program, ...args] = command
  // systemd takes none of these in the name of a program, however they are written.
  if (/["'\\\p{Cc}]/u.test(program))
    throw unsupported('systemd can’t run a program whose path has quotes or backslashes', program)
  const log = plainPath(logFile)
  const environment = Object.entries(serviceEnvironment(daemon, 'systemd')).map(([name, value]) =>
    quote(`${name}=${value}`),
  )
  return `# Written by Private Connect: ${ours} install and restart write it anew.
# To change a setting: systemctl --user edit
[Unit]
Description=${description}
After=network-online.target
Wants=network-online.target
# However often it fails, it is tried again: a hub that is down for a night is no reason to stay down.
StartLimitIntervalSec=0

[Service]
Type=simple
ExecStart=${[quote(program), ...args.map((arg) => quote(arg).replaceAll('$', '$$$$'))].join(' ')}
Restart=always
RestartSec=10
# What only a human can fix.
RestartPreventExitStatus=78
KillMode=mixed
TimeoutStopSec=${GRACE_PERIOD_S}
StandardOutput=append:${log}
StandardError=append:${log}
UMask=0077
Environment=${environment.join(' ')}
NoNewPrivileges=yes
RestrictSUIDSGID=yes
LockPersonality=yes
RestrictRealtime=yes
RestrictNamespaces=yes
SystemCallArchitectures=native
RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

[Install]
WantedBy=default.target
`
}

/**
 * A word of a unit, as systemd.syntax(7) takes it between quotes; `%` begins a specifier of systemd.unit(5).
 */
function quote(word: string): string {
  const escaped = word
    .replaceAll(/["\\]/g, String.raw`\$&`)
    .replaceAll('%', '%%')
    .replaceAll(/\p{Cc}/gu, (character) => [...Buffer.from(character)].map(escapedByte).join(''))
  return `"${escaped}"`
}

function escapedByte(byte: number): string {
  return `\\x${byte.toString(16).padStart(2, '0')}`
}

/** A path where systemd takes the rest of the line as it is, but for specifiers. */
function plainPath(file: string): string {
  if (/\p{Cc}/u.test(file)) throw unsupported('A unit can’t name a path with control characters', file)
  return file.replaceAll('%', '%%')
}

function unsupported(why: string, file: string): ConnectError {
  return new ConnectError('INSTALL_UNSUPPORTED', `${why}: ${file}`, { hints: ['Move it to another folder.'] })
}
