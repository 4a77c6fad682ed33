import { wordsOf, type Kind } from '../../config/kind.ts'
import type { InstallOutcome, InstallReport, PlannedInstall } from '../../tasks/install.ts'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'
import { formatConnection } from './connection.ts'

/** The lines of a daemon that was installed. */
export function formatInstalled(report: InstallReport): string[] {
  const { hub } = report
  return installedLines(
    report,
    'agent',
    hub?.state === 'connected' ? [] : [`  Hub: ${formatConnection(hub)}`],
  )
}

/** What it does from now on. */
const STARTS_BY_ITSELF = {
  boot: 'will now start automatically on boot',
  login: 'will now start automatically on login',
  manager: 'will now start whenever its service manager does, which may not be on boot',
  never: 'does not start by itself',
} as const

/** @param more what else is to be known of it */
export function installedLines(
  { change, file, autostart }: InstallOutcome,
  kind: Kind,
  more: readonly string[],
): string[] {
  const { subject, process, command } = wordsOf({ kind })
  const written = { created: 'Created', updated: 'Updated', unchanged: 'Unchanged' }[change]
  return [
    ...(file === null ? [] : [`  ${written}: ${tilde(file)}`, '']),
    change === 'unchanged'
      ? `[ok] ${subject} already installed and running`
      : `[ok] ${subject} installed and started`,
    `  The ${process} ${STARTS_BY_ITSELF[autostart]}.`,
    ...more,
    '',
    '  Commands:',
    `    Status:    ${command} status`,
    `    Logs:      ${command} logs`,
    `    Stop:      ${command} stop`,
    `    Uninstall: ${command} uninstall`,
  ]
}

/**
 * What --dry-run shows: the files as they would be, and the commands as one would type them.
 *
 * @param more what else would be done, a sentence
 */
export function formatPlan(
  { change, file, plan: { files, commands } }: PlannedInstall,
  kind: Kind,
  more?: string,
): string[] {
  const also = more === undefined ? [] : [more, '']
  if (change === 'unchanged' && file !== null) {
    const runs = `The ${wordsOf({ kind }).kept} is installed and runs`
    const left =
      more === undefined ? [`${runs}: there is nothing to do.`] : [`${runs}.`, '', ...also, NOTHING]
    return [`Unchanged: ${tilde(file)}`, '', ...left]
  }
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
    ...also,
    NOTHING,
  ]
}

const NOTHING = 'Nothing was changed.'
