import { spawnSync } from 'node:child_process'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { builtCommands, examplesOf, flagsOf, nameOf, type Command } from '../../scripts/docs/command.ts'
import { commandsPage } from '../../scripts/docs/commands-page.ts'
import { staleDocuments } from '../../scripts/docs.ts'
import { escapeRoff, fill, verbatim } from '../../scripts/man/roff.ts'
import { ConnectError } from '../../src/errors.ts'
import { keptExitCode } from '../../src/kept/exit-code.ts'
import { root } from '../helpers/cli.ts'

const read = (file: string) => readFileSync(path.join(root, file), 'utf8')
const pages = globSync('man/*.1', { cwd: root }).toSorted()
const commands = await builtCommands()
const { oclif } = JSON.parse(read('package.json')) as { oclif: { exitCodes: Record<string, number> } }

test('what is made of the documents is fresh; else run: npm run docs', async () => {
  expect(await staleDocuments()).toEqual([])
})

/** What a manual page says, without its fonts, in one line. */
function plain(page: string): string {
  const roff = read(`man/${page}.1`)
    .replaceAll(/^\.\w+ ?/gm, '')
    .replaceAll(/\\f[BIR]|\\&/g, '')
  const names: Record<string, string> = {
    '-': '-',
    '(aq': "'",
    '(dq': '"',
    '(cq': '’',
    '(ti': '~',
    '(ha': '^',
    e: '\\',
  }
  return roff.replaceAll(/\\(-|e|\(..)/g, (_, name: string) => names[name] ?? '?').replaceAll(/\s+/g, ' ')
}

const pageOf = ({ id }: Command) => `connect-${id.split(':')[0]}`

describe('all that there is to say stands in docs/commands.md, in the command’s own manual page, and in connect(1):', () => {
  const reference = read('docs/commands.md')
    .replaceAll('`', '')
    .replaceAll(String.raw`\|`, '|')
    .replaceAll(/\s+/g, ' ')

  test.for(commands.map((command) => [nameOf(command), command] as const))('%s', ([name, command]) => {
    const own = plain(pageOf(command))
    expect(plain('connect')).toContain(`${command.summary}.`)
    for (const text of [reference, own]) {
      const lines = (command.description ?? '').split('\n\n')
      for (const said of [name, command.summary!, ...lines, ...examplesOf(command)])
        expect(text).toContain(said.replaceAll(/\s+/g, ' '))
      for (const { name: flag, char, description = '' } of flagsOf(command)) {
        expect(text).toContain(char === undefined ? `--${flag}` : `-${char}, --${flag}`)
        expect(text).toContain(description.replace(/\.$/, ''))
      }
      for (const { description = '' } of Object.values(command.args)) expect(text).toContain(description)
    }
  })

  test('each exit code', () => {
    const fatal = keptExitCode(new ConnectError('REVOKED', ''), 'systemd')
    const codes = new Set([0, fatal, 126, 127, ...Object.values(oclif.exitCodes)])
    expect(codes.size).toBe(6)
    const { groups } = /\*\*Rules for all commands\.\*\*(?<rules>[^]*?)\n\n/.exec(read('docs/commands.md'))!
    expect(pages.length).toBeGreaterThan(10)
    for (const code of [...codes].filter((one) => one < 126))
      expect(groups!.rules).toMatch(new RegExp(`\\b${code}\\b`))
    for (const page of pages) {
      const status = plain(path.basename(page, '.1')).split(' EXIT STATUS ')[1]!
      for (const code of codes) expect(status, page).toMatch(new RegExp(`\\b${code}\\b`))
    }
  })
})

test('a command that docs/commands.md does not name, or names twice, is told', () => {
  const page = read('docs/commands.md')
  const without = page.replace('<!-- daemon stop -->', '<!-- daemon start -->')
  expect(() => commandsPage(without, commands)).toThrow('connect daemon start, connect daemon stop')
  const unknown = page.replace('<!-- daemon stop -->', '<!-- daemon halt -->')
  expect(() => commandsPage(unknown, commands)).toThrow('"daemon halt", which is no command')
})

/** What reads manual pages: of groff the man-db of Linux, mandoc of macOS and the BSDs. */
const READERS = [
  ['groff', ['groff', '-ww', '-man', '-Tutf8', '-P-c']],
  ['groff on a terminal without UTF-8', ['groff', '-ww', '-man', '-Tascii', '-P-c']],
  ['mandoc', ['mandoc', '-T', 'utf8']],
  ['mandoc without UTF-8', ['mandoc', '-T', 'ascii']],
] as const

function run([command, ...args]: readonly string[], input: string): { stdout: string; stderr: string } {
  const { stdout, stderr, error } = spawnSync(command!, args, { input, encoding: 'utf8' })
  if (error) throw error
  // Overstrikes, which is how bold is shown without colours.
  return { stdout: stdout.replaceAll(/.[\b]/g, ''), stderr }
}

const has = (command: string) => spawnSync(command, ['--version']).error === undefined

describe.each(READERS)('%s', (_, reader) => {
  test.skipIf(!has(reader[0])).for(pages)('has nothing to say against %s', (page) => {
    const { stdout, stderr } = run(reader, read(page))
    expect(stderr).toBe('')
    expect(stdout).toContain('EXIT STATUS')
  })

  test.skipIf(!has(reader[0]))('shows each character as it is, to be copied', () => {
    const line = String.raw`.start -x --long "a" 'b' \n \fB ~/x ^C ${'`d`'} $(e) %f [g] {h} #i & j`
    const text = `.TH A 1 "2026-01-01" "" ""\n.SH A\n${fill(escapeRoff(line))}\n${verbatim(`${line}\n'k\n.l`)}\n`
    const shown = run(reader, text).stdout
    expect(shown.split(/\s*\n\s*/)).toEqual(expect.arrayContaining([line, "'k", '.l']))
    expect(shown.split(line)).toHaveLength(3)
  })
})

test.skipIf(!has('mandoc')).for(pages)('mandoc finds no fault in %s', (page) => {
  const { stdout } = run(['mandoc', '-T', 'lint', '-W', 'warning'], read(page))
  // Until there is a release there is no day of one.
  const isDated = /^## \[\d[^\]]*\] - /m.test(read('CHANGELOG.md'))
  const faults = stdout.split('\n').filter(Boolean)
  expect(isDated ? faults : faults.filter((fault) => !fault.includes('missing date'))).toEqual([])
})

test('manual pages are plain ASCII, with hyphens that stay what they are', () => {
  for (const page of pages) {
    const [, , ...lines] = read(page).split('\n')
    expect(
      lines.filter((line) => /[^ -~]|(?<!\\)-/.test(line)),
      page,
    ).toEqual([])
  }
})
