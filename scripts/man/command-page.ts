import { examplesOf, nameOf, sharedFlags, usageOf, type Command } from '../docs/command.ts'
import { sectionsOf, type Section } from '../docs/commands-page.ts'
import { optionsOf } from '../docs/options.ts'
import { fact, manual, name, option, pageOf, proseFor, synopsis, type Sources } from './parts.ts'
import { bold, escapeRoff, paragraph, section, subsection, verbatim } from './roff.ts'

/** The page of a command, or of all that have their first word in common. */
export function commandPage(page: string, sources: Sources): string[] {
  const sections = sectionsOf(sources.commandsPage, sources.commands).filter((one) =>
    one.commands.some((command) => pageOf(command) === page),
  )
  const members = sections.flatMap(({ commands }) => commands)
  const isOne = members.length === 1
  const body = isOne ? ofOne : ofSeveral
  return [
    ...name(page, members[0]?.summary ?? ''),
    ...synopsis(members.flatMap(usageOf)),
    ...body(sections, page, sources),
    ...fact('exit status', page, sources),
    ...(isOne ? [] : [...fact('environment', page, sources), ...fact('files', page, sources)]),
    section('See also'),
    paragraph(manual('connect')),
  ]
}

type Body = (sections: readonly Section[], page: string, sources: Sources) => string[]

/** Its summary is the page's own. */
const ofOne: Body = (sections, page, sources) => {
  const prose = proseFor(page, sources)
  const members = sections.flatMap(({ commands }) => commands)
  const { own, common } = optionsOf(members, sharedFlags(sources.commands))
  const examples = members.flatMap(examplesOf)
  return [
    section('Description'),
    ...members.flatMap(description),
    ...sections.map(({ text }) => prose(text)),
    ...(own.length + common.length > 0 ? [section('Options'), ...[...own, ...common].map(option)] : []),
    ...(examples.length > 0 ? [section('Examples'), verbatim(examples.join('\n'))] : []),
  ]
}

/** Each with its own options, and at the end those that many commands have. */
const ofSeveral: Body = (sections, page, sources) => {
  const prose = proseFor(page, sources)
  const shared = sharedFlags(sources.commands)
  const { common } = optionsOf(
    sections.flatMap(({ commands }) => commands),
    shared,
  )
  const parts = sections.flatMap(({ commands, text }) => {
    const examples = commands.flatMap(examplesOf)
    return [
      subsection(commands.map(nameOf).join(', ')),
      ...commands.flatMap((command) => [summary(command), ...description(command)]),
      ...optionsOf(commands, shared).own.map(option),
      ...(examples.length > 0 ? [verbatim(examples.join('\n'))] : []),
      // What is a heading there is one of the page otherwise.
      prose(text).replaceAll(/^\.SS (.*)$/gm, (_, title: string) => `.PP\n${bold(title)}`),
    ]
  })
  return [
    section('Commands'),
    ...parts,
    ...(common.length > 0 ? [section('Options'), ...common.map(option)] : []),
  ]
}

function summary(command: Command): string {
  return paragraph(`${bold(escapeRoff(nameOf(command)))}: ${escapeRoff(command.summary ?? '')}.`)
}

function description({ description: text = '' }: Command): string[] {
  return text
    .split('\n\n')
    .filter(Boolean)
    .map((part) => paragraph(escapeRoff(part)))
}
