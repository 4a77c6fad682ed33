// Writes what of the documents is made: docs/errors.md, what docs/commands.md has of the commands, and the
// manual pages in man/ with their list in package.json. With --check it says whether they are fresh.
import { existsSync, globSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { EXAMPLES } from '../src/cli/help.ts'
import { builtCommands } from './docs/command.ts'
import { commandsPage } from './docs/commands-page.ts'
import { errorsPage } from './docs/errors-page.ts'
import { manPages } from './man/pages.ts'

const root = path.dirname(import.meta.dirname)
const read = (file: string) => readFileSync(path.join(root, file), 'utf8')

/** What is made, by its path in the checkout. */
export async function madeDocuments(): Promise<Map<string, string>> {
  const commands = await builtCommands()
  const page = commandsPage(read('docs/commands.md'), commands)
  const own = JSON.parse(read('package.json')) as { description: string; version: string }
  // Of the newest version that is not in the making.
  const [, date = ''] = /^## \[\d[^\]]*\] - (\S+)$/m.exec(read('CHANGELOG.md')) ?? []
  const pages = manPages({
    commands,
    commandsPage: page,
    readme: read('README.md'),
    examples: EXAMPLES,
    description: own.description,
    version: own.version,
    date,
  })
  const man = [...pages.keys()].map((name) => `man/${name}`)
  return new Map([
    ['docs/errors.md', errorsPage()],
    ['docs/commands.md', page],
    ['package.json', `${JSON.stringify({ ...own, man }, null, 2)}\n`],
    ...[...pages].map(([name, text]): [string, string] => [`man/${name}`, text]),
  ])
}

/** The files that are not as they would be made, those of no use any more included. */
export async function staleDocuments(): Promise<string[]> {
  const made = await madeDocuments()
  const isStale = ([file, text]: [string, string]) =>
    !existsSync(path.join(root, file)) || read(file) !== text
  return [...[...made].filter(isStale).map(([file]) => file), ...leftOver(made)]
}

function leftOver(made: ReadonlyMap<string, string>): string[] {
  return globSync('man/*', { cwd: root }).filter((file) => !made.has(file.replaceAll(path.sep, '/')))
}

if (import.meta.main) {
  if (process.argv.includes('--check')) {
    const stale = await staleDocuments()
    for (const file of stale) console.error(`[x] ${file} is stale. Run: npm run docs`)
    if (stale.length > 0) process.exit(1)
  } else {
    const made = await madeDocuments()
    mkdirSync(path.join(root, 'man'), { recursive: true })
    for (const [file, text] of made) writeFileSync(path.join(root, file), text)
    for (const file of leftOver(made)) rmSync(path.join(root, file))
  }
}
