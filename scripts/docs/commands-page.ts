import {
  examplesOf,
  nameOf,
  sharedFlags,
  termOfFlag,
  textOfFlag,
  type Command,
  type Flag,
} from './command.ts'
import { optionsOf, type Told } from './options.ts'

/** What is made from the commands of these names: `<!-- daemon start -->`. */
const BLOCK = /^<!-- (?<names>[a-z][a-z ,-]*) -->\n[^]*?^<!-- end -->$/gm

/** In the place of names: the options that many commands have. */
const SHARED = 'shared options'

/** A part of docs/commands.md, with the commands that it is about, and without what is made from them. */
export interface Section {
  /** As Markdown. Of what stands above the first heading: empty. */
  readonly title: string
  readonly commands: Command[]
  readonly text: string
}

/**
 * docs/commands.md with what its commands say of themselves, between `<!-- NAME, NAME -->` and
 * `<!-- end -->`. The rest is as it was.
 *
 * @throws Error if a command is told twice, or not at all, or if there is none of a name
 */
export function commandsPage(page: string, commands: readonly Command[]): string {
  const shared = sharedFlags(commands)
  const told = sectionsOf(page, commands).flatMap((section) => section.commands)
  const wrong = commands.filter((command) => told.filter((one) => one === command).length !== 1)
  if (wrong.length > 0)
    throw new Error(
      `docs/commands.md must have once <!-- NAME --> and <!-- end --> for: ${wrong.map(nameOf).join(', ')}`,
    )
  return page.replaceAll(BLOCK, (_, names: string) => {
    const text = names === SHARED ? sharedOptions(shared) : toldOf(named(names, commands), shared)
    return `<!-- ${names} -->\n\n${text}\n\n<!-- end -->`
  })
}

/** The parts of the page in their order: what a heading of two or three marks begins. */
export function sectionsOf(page: string, commands: readonly Command[]): Section[] {
  return page.split(/^(?=#{2,3} )/m).map((part) => {
    const [, title = ''] = /^##+ (.*)/.exec(part) ?? []
    const names = [...part.matchAll(BLOCK)].map(({ groups }) => groups?.names ?? '')
    return {
      title,
      commands: names.filter((one) => one !== SHARED).flatMap((one) => named(one, commands)),
      text: part.replace(/^#.*\n/, '').replaceAll(BLOCK, ''),
    }
  })
}

function named(names: string, commands: readonly Command[]): Command[] {
  return names.split(', ').map((name) => {
    const command = commands.find(({ id }) => id === name.replaceAll(' ', ':'))
    if (!command) throw new Error(`docs/commands.md tells of "${name}", which is no command`)
    return command
  })
}

function sharedOptions(shared: readonly Flag[]): string {
  const rows = shared.map((flag) => ({ term: termOfFlag(flag), text: textOfFlag(flag), of: [] }))
  return `**Options that many share**\n\n${table(rows)}`
}

function toldOf(commands: readonly Command[], shared: readonly Flag[]): string {
  const said = commands.length === 1 ? commands.map(paragraphs) : commands.map(item)
  const { own, common } = optionsOf(commands, shared)
  const terms = common.map(({ term, of }) => `\`${term}\`${of.length > 0 ? ` (of ${codes(of)})` : ''}`)
  const more = `${own.length > 0 ? 'And' : 'Options'} [as above](#commands): ${terms.join(', ')}`
  return [
    said.join('\n'),
    ...(own.length > 0 ? [table(own)] : []),
    ...(common.length > 0 ? [more] : []),
    ...commands
      .map(examplesOf)
      .flatMap((lines) => (lines.length > 0 ? ['```', ...lines, '```'].join('\n') : [])),
  ].join('\n\n')
}

function paragraphs({ summary, description = '' }: Command): string {
  return [`${summary}.`, description].filter(Boolean).map(markdown).join('\n\n')
}

function item(command: Command): string {
  return `- \`${nameOf(command)}\`: ${paragraphs(command).replaceAll(/\s+/g, ' ')}`
}

function table(rows: readonly Told[]): string {
  const cells = rows.map(({ term, text, of }) => {
    const only = of.length > 0 ? `of ${codes(of)}: ` : ''
    return `| \`${term.replaceAll('|', String.raw`\|`)}\` | ${only}${markdown(text)} |`
  })
  return ['| Option | Meaning |', '| --- | --- |', ...cells].join('\n')
}

function codes(words: readonly string[]): string {
  return words.map((word) => `\`${word}\``).join(', ')
}

/** Plain text as Markdown, with options and variables as code. */
function markdown(plain: string): string {
  const escaped = plain.replaceAll(/[|<*]/g, String.raw`\$&`)
  return escaped.replaceAll(/(?<![\w-])(?:--[a-z][a-z-]*|[A-Z]+_[A-Z_]+)\b/g, '`$&`')
}
