import { isatty } from 'node:tty'

/** On fewer columns nothing reads well any more, and a new terminal may be 0 columns wide. */
const MIN_COLUMNS = 40

/** A command to be typed, at the end of a sentence. */
const COMMAND =
  /(?<=[:,] )(?:connect|sudo|systemctl|launchctl|loginctl|chmod|socat|fuser|CONNECT_\w+=\S+) .+$/

/**
 * Breaks a line between words, where a terminal would break it within one; what follows stands two deeper. A
 * command at its end stays whole if it can, to be copied.
 *
 * @param columns of the terminal; undefined for what is none: then the line stays whole
 */
export function wrapLine(line: string, columns: number | undefined): string {
  if (columns === undefined || columns < MIN_COLUMNS || line.length <= columns) return line
  const indent = `${/^ */.exec(line)![0]}  `
  const room = columns - indent.length
  const command = COMMAND.exec(line)?.[0] ?? ''
  const isCommandKept = command !== '' && command.length <= room
  const text = isCommandKept ? line.slice(0, -command.length).trimEnd() : line
  const lines = wrapWords(text.trimStart(), room).map((part) => `${indent}${part}`)
  lines[0] = lines[0]!.slice(2)
  return [...lines, ...(isCommandKept ? [`${indent}${command}`] : [])].join('\n')
}

function wrapWords(text: string, room: number): string[] {
  const lines: string[] = []
  for (const word of text.split(' ')) {
    const last = lines.at(-1)
    if (last !== undefined && last.length + 1 + word.length <= room)
      lines[lines.length - 1] = `${last} ${word}`
    else lines.push(word)
  }
  return lines
}

/** The width of a terminal; undefined for what is none, and left unopened: it may be another's too. */
export function columnsOf(descriptor: 1 | 2): number | undefined {
  if (!isatty(descriptor)) return undefined
  return (descriptor === 1 ? process.stdout : process.stderr).columns
}
