import type { Section } from '../docs/commands-page.ts'
import type { Destination } from './markdown.ts'

/** Where the links of docs/commands.md and of the README lead to, for who reads a manual page. */
export function linksFor(page: string, sections: readonly Section[]): Destination {
  const pages = new Map(
    sections.flatMap(({ title, text, commands: [first] }) => {
      const its = first ? `connect-${first.id.split(':', 1)[0]}` : 'connect'
      const titles = [title, ...[...text.matchAll(/^#{4} (.*)$/gm)].map(([, inner = '']) => inner)]
      return titles.map((one): [string, string] => [anchorOf(one), its])
    }),
  )
  return (href, words) => {
    if (!href.startsWith('#')) {
      const document = `docs/${href.replace(/^docs\//, '').replace(/#.*/, '')}`
      return words.endsWith('.md') ? { instead: document } : { behind: ` (${document})` }
    }
    const target = pages.get(href.slice(1))
    if (target === undefined) throw new Error(`docs/commands.md has no heading for ${href}`)
    // The words may be the page's name, nearly.
    return target === page || words.startsWith('`connect ') ? {} : { behind: ` in ${target}(1)` }
  }
}

/** As GitHub names the anchor of a heading. */
function anchorOf(title: string): string {
  return title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}\p{M}_ -]/gu, '')
    .replaceAll(' ', '-')
}
