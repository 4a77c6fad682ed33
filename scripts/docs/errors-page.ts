import { ERRORS } from '../../src/error-codes.ts'

const HEAD = `# Errors

Every failure is one line on stderr that begins with \`[x]\`, and below it what to do next. With \`--json\` it is an object on
stdout instead, \`{"error": {"code", "message", "hints"}}\`, whose \`code\` is one of those below, or \`USAGE\` for a command
line that can't be understood. \`DEBUG=1\` adds where in the program it came from.

The exit code is 1, or 2 where the command line itself is wrong. The agent alone ends with 78 when only a human can help,
so that whatever keeps it alive does not start it again; under launchd, which knows no such code, with 0.

This page is made from src/error-codes.ts by \`npm run docs\`.
`

/** docs/errors.md, from the table of errors. */
export function errorsPage(): string {
  const sections = Object.entries(ERRORS)
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([code, { cause, fix }]) => `\n## ${code}\n\n${cause}\n\n**What to do:** ${fix}\n`)
  return HEAD + sections.join('')
}
