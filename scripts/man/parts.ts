import type { Command } from '../docs/command.ts'
import { sectionsOf } from '../docs/commands-page.ts'
import type { Told } from '../docs/options.ts'
import { linksFor } from './links.ts'
import { roffOf } from './markdown.ts'
import { bold, definition, escapeRoff, section, typed } from './roff.ts'

/** What the manual pages are made from. */
export interface Sources {
  readonly commands: readonly Command[]
  /** docs/commands.md. */
  readonly commandsPage: string
  readonly readme: string
  /** What `connect --help` has as examples. */
  readonly examples: string
  readonly description: string
  readonly version: string
  /** Of the release, as 2026-12-01; empty before the first one. */
  readonly date: string
}

/** The page that a command stands on: `connect-daemon`. */
export function pageOf({ id }: Command): string {
  const [word] = id.split(':')
  return `connect-${word}`
}

/** What sends the reader to a page: `connect-daemon(1)`. */
export function manual(page: string): string {
  return `${bold(escapeRoff(page))}(1)`
}

export function name(page: string, description: string): string[] {
  return [section('Name'), `${escapeRoff(page)} \\- ${escapeRoff(description)}`]
}

export function synopsis(usages: readonly string[]): string[] {
  return [section('Synopsis'), ...usages.map((usage) => `.PP\n${typed(usage)}`)]
}

export function option({ term, text, of }: Told): string {
  const only = of.length > 0 ? `of ${of.map((word) => bold(escapeRoff(word))).join(', ')}: ` : ''
  return definition(typed(term), `${only}${escapeRoff(text)}`)
}

/** What turns Markdown of a document into roff of a page. */
export function proseFor(page: string, { commandsPage, commands }: Sources): (markdown: string) => string {
  const destination = linksFor(page, sectionsOf(commandsPage, commands))
  return (markdown) => roffOf(markdown, destination)
}

/** Sections of the README that hold for all commands, by what these are called in a manual page. */
const FACTS = { 'exit status': 'Exit codes', environment: 'Environment', files: 'Files' }

/** @throws Error if the README has none of that name */
export function fact(title: keyof typeof FACTS, page: string, sources: Sources): string[] {
  const [, text] = new RegExp(`^## ${FACTS[title]}\\n([^]*?)^## `, 'm').exec(sources.readme) ?? []
  if (text === undefined) throw new Error(`README.md has no section "${FACTS[title]}"`)
  return [section(title), proseFor(page, sources)(text)]
}
