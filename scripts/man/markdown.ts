import { lexer, type Token, type Tokens } from 'marked'
import { bold, definition, escapeRoff, fill, italic, paragraph, subsection, verbatim } from './roff.ts'

/**
 * A link for who reads a manual page, as plain text: in the place of its own words if these are no use
 * there, else behind them.
 */
export type Destination = (
  href: string,
  words: string,
) => { readonly instead?: string; readonly behind?: string }

/** Markdown, as the documents have it, as roff. @throws Error on what they have not had so far */
export function roffOf(markdown: string, destination: Destination): string {
  return blocks(lexer(markdown), destination)
}

function blocks(tokens: readonly Token[], destination: Destination): string {
  return tokens
    .map((token) => block(token, destination))
    .filter(Boolean)
    .join('\n')
}

function block(token: Token, destination: Destination): string {
  const inline = (tokens: readonly Token[] = []) => inlines(tokens, destination)
  switch (token.type) {
    case 'space':
      return ''
    case 'heading':
      return subsection((token as Tokens.Heading).text)
    case 'paragraph':
    case 'text':
      return paragraph(inline((token as Tokens.Paragraph).tokens))
    case 'code':
      return verbatim((token as Tokens.Code).text)
    case 'list':
      return (token as Tokens.List).items.map((item) => listItem(item, inline)).join('\n')
    case 'table':
      return table(token as Tokens.Table, inline)
    default:
      throw new Error(`no manual page has had ${token.type} so far: ${token.raw}`)
  }
}

type Inline = (tokens?: readonly Token[]) => string

function listItem({ tokens }: Tokens.ListItem, inline: Inline): string {
  const text = tokens.map((token) => {
    if (token.type !== 'text') throw new Error(`no manual page has had that in a list so far: ${token.raw}`)
    return inline((token as Tokens.Text).tokens)
  })
  return `.IP \\(bu 2\n${fill(text.join(' '))}`
}

/** A definition for each row: a table as it stands has no room on a terminal. */
function table({ header, rows }: Tokens.Table, inline: Inline): string {
  return rows
    .map((row) => {
      const [{ roff: term } = { roff: '' }, ...meanings] = row
        .map((cell, column) => ({ roff: inline(cell.tokens), title: inline(header[column]?.tokens) }))
        .filter(({ roff }) => roff !== '')
      const named = (title: string) => (header.length > 2 && title !== 'Meaning' ? `${title}: ` : '')
      const lines = meanings.map(({ roff, title }) => fill(`${named(title)}${roff}`))
      return `${definition(term, lines.shift() ?? '')}${lines.map((line) => `\n.br\n${line}`).join('')}`
    })
    .join('\n')
}

function inlines(tokens: readonly Token[], destination: Destination): string {
  return tokens
    .map((token) => {
      switch (token.type) {
        case 'text':
        case 'escape':
          return escapeRoff((token as Tokens.Text).text)
        case 'codespan':
          return bold(escapeRoff((token as Tokens.Codespan).text))
        case 'strong':
          // Code in it is bold in any case.
          return bold(inlines(token.tokens ?? [], destination).replaceAll(/\\f[BR]/g, ''))
        case 'em':
          return italic(inlines(token.tokens ?? [], destination).replaceAll(/\\f[BIR]/g, ''))
        case 'link': {
          const { href, text, tokens: words } = token as Tokens.Link
          const { instead, behind = '' } = destination(href, text)
          return `${instead === undefined ? inlines(words, destination) : escapeRoff(instead)}${escapeRoff(behind)}`
        }
        default:
          throw new Error(`no manual page has had ${token.type} so far: ${token.raw}`)
      }
    })
    .join('')
}
