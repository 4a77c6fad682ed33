import type { InstallReport, PlannedInstall } from '../../tasks/install.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'
import { formatConnection } from './connection.ts'

/** The lines of a daemon that was installed. */
export function formatInstalled({ change, file, autostart, hub }: InstallReport): string[] {
  const written = { created: 'Created', updated: 'Updated', unchanged: 'Unchanged' }[change]
  const starts =
    autostart === 'never' ? 'does not start by itself' : `will now start automatically on ${autostart}`
  return [
    ...(file === null ? [] : [`  ${written}: ${tilde(file)}`, '']),
    change === 'unchanged'
      ? '[ok] Daemon already installed and running'
      : '[ok] Daemon installed and started',
    `  The agent ${starts}.`,
    ...(hub?.state === 'connected' ? [] : [`  Hub: ${formatConnection(hub)}`]),
    '',
    '  Commands:',
    '    Status:    connect daemon status',
    '    Logs:      connect daemon logs',
    '    Stop:      connect daemon stop',
    '    Uninstall: connect daemon uninstall',
  ]
}

/** What --dry-run shows: the files as they would be, and the commands as one would type them. */
export function formatPlan({ change, file, plan: { files, commands } }: PlannedInstall): string[] {
  if (change === 'unchanged' && file !== null)
    return [`Unchanged: ${tilde(file)}`, '', 'The daemon is installed and runs: there is nothing to do.']
  return [
    ...files.flatMap(({ file, content }) => [
      `Would write ${tilde(file)}:`,
      '',
      ...content
        .trimEnd()
        .split('\n')
        .map((line) => (line === '' ? '' : `  ${line}`)),
      '',
    ]),
    'Would run:',
    '',
    ...commands.map((command) => `  ${command.map(shellQuote).join(' ')}`),
    '',
    'Nothing was changed.',
  ]
}
