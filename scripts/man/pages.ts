import { commandPage } from './command-page.ts'
import { mainPage } from './main-page.ts'
import { pageOf, type Sources } from './parts.ts'
import { escapeRoff } from './roff.ts'

/** connect.1, and a page for each word that may follow: connect-daemon.1 has all of `connect daemon …`. */
export function manPages(sources: Sources): Map<string, string> {
  const names = [...new Set(sources.commands.map(pageOf))]
  const pages = names.map((name) => ({ name, parts: commandPage(name, sources) }))
  return new Map(
    [{ name: 'connect', parts: mainPage('connect', sources) }, ...pages].map(({ name, parts }) => [
      `${name}.1`,
      joined([...head(name, sources), ...parts]),
    ]),
  )
}

function head(name: string, { version, date }: Sources): string[] {
  return [
    String.raw`.\" Made from the commands and docs/commands.md by: npm run docs`,
    `.TH ${escapeRoff(name.toUpperCase())} 1 "${date}" "Private Connect ${version}" "Private Connect"`,
    // A command that is broken at the end of a line, or pulled apart, can't be copied.
    '.nh',
    '.ad l',
  ]
}

/** A heading begins a paragraph by itself. */
function joined(parts: readonly string[]): string {
  return `${parts.join('\n')}\n`.replaceAll(/(?<=^\.S[HS] .*\n)\.PP\n/gm, '')
}
