import { groupCommands } from '../../src/cli/help-groups.ts'
import { sharedFlags, termOfFlag, textOfFlag, usageOf, type Command } from '../docs/command.ts'
import { sectionsOf } from '../docs/commands-page.ts'
import { fact, manual, name, option, pageOf, proseFor, synopsis, type Sources } from './parts.ts'
import { bold, definition, escapeRoff, paragraph, section, subsection, typed, verbatim } from './roff.ts'

/** The page of the whole: every command in a line, and what holds for all of them. */
export function mainPage(page: string, sources: Sources): string[] {
  const { commands, commandsPage, description, examples, readme } = sources
  const general = sectionsOf(commandsPage, commands).filter(
    (one) => one.commands.length === 0 && one.text.trim() !== '',
  )
  const [intro, ...others] = general
  const prose = proseFor(page, sources)
  const shared = sharedFlags(commands).map((flag) => ({
    term: termOfFlag(flag),
    text: textOfFlag(flag),
    of: [],
  }))
  return [
    ...name(page, description),
    ...synopsis(['connect [OPTIONS]', 'connect COMMAND [ARGUMENTS] [OPTIONS]']),
    section('Description'),
    prose(readme.split('\n\n')[1] ?? ''),
    // The first paragraph is on the document itself.
    prose((intro?.text ?? '').trim().split('\n\n').slice(1).join('\n\n')),
    section('Commands'),
    ...groupCommands(commands).flatMap(([title, members]) => [subsection(title), ...members.map(line)]),
    section('Options'),
    paragraph('Many commands have these; their own are on their pages.'),
    ...shared.map(option),
    ...others.flatMap(({ title, text }) => [section(title), prose(text)]),
    section('Examples'),
    ...examples
      .split('\n\n')
      .map((part) => (part.startsWith('$') ? verbatim(part) : paragraph(escapeRoff(part)))),
    ...fact('exit status', page, sources),
    ...fact('environment', page, sources),
    ...fact('files', page, sources),
    section('See also'),
    paragraph([...new Set(commands.map(pageOf))].map(manual).join(', ')),
    paragraph(
      `The documents lie beside the program, in ${bold(escapeRoff('$(npm root -g)/private-connect/docs'))}.`,
    ),
  ]
}

function line(command: Command): string {
  const summary = `${escapeRoff(command.summary ?? '')}. ${manual(pageOf(command))}`
  return definition(usageOf(command).map(typed), summary)
}
