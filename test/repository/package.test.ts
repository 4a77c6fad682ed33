import { execFileSync } from 'node:child_process'
import { existsSync, readFileSync, statSync } from 'node:fs'
import { createRequire } from 'node:module'
import { homedir } from 'node:os'
import path from 'node:path'
import { expect, test } from 'vitest'
import { generateManifest } from '../../scripts/manifest.ts'
import { root } from '../helpers/cli.ts'

interface Option {
  readonly name: string
  readonly char?: string
  readonly required?: boolean
  readonly multiple?: boolean
  readonly type?: string
  readonly options?: readonly string[]
}

interface Command {
  readonly id: string
  readonly aliases: readonly string[]
  readonly args: Record<string, Option>
  readonly flags: Record<string, Option>
}

interface PackedFile {
  readonly path: string
  /** Bytes. */
  readonly size: number
}

test('oclif.manifest.json is fresh; else run: npm run manifest', async () => {
  // Compared by what it says: commands come in the order in which the file system gave them.
  const committed = readFileSync(path.join(root, 'oclif.manifest.json'), 'utf8')
  expect(JSON.parse(committed)).toEqual(JSON.parse(await generateManifest()))
})

test('the command line is as scripts know it: a change is meant, and updates the snapshot', async () => {
  const { commands } = JSON.parse(await generateManifest()) as { commands: Record<string, Command> }
  const lines = Object.values(commands).map(({ id, aliases, args, flags }) => {
    const parts = [
      ...Object.values(args).map(({ name, required }) =>
        required ? name.toUpperCase() : `[${name.toUpperCase()}]`,
      ),
      ...Object.values(flags)
        .toSorted((a, b) => (a.name < b.name ? -1 : 1))
        .map((flag) => {
          const short = flag.char ? `-${flag.char}|` : ''
          const value = flag.type === 'option' ? `=${flag.options?.join('|') ?? ''}` : ''
          const text = `${short}--${flag.name}${value}${flag.multiple ? '…' : ''}`
          return flag.required ? text : `[${text}]`
        }),
    ]
    const also = aliases.length > 0 ? `  (also ${aliases.join(', ')})` : ''
    return `${[id.replaceAll(':', ' '), ...parts].join(' ')}${also}`
  })
  await expect(`${lines.toSorted().join('\n')}\n`).toMatchFileSnapshot('./command-line.txt')
})

test('the package holds what it needs, and nothing of the machine that it was made on', () => {
  const listed = execFileSync(
    'npm',
    ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=silent'],
    {
      cwd: root,
      encoding: 'utf8',
      shell: process.platform === 'win32',
    },
  )
  const packed = JSON.parse(listed) as { files: PackedFile[] }[] | Record<string, { files: PackedFile[] }>
  const all = Object.values(packed)[0]!.files
  const [bundled, own] = [true, false].map((wanted) =>
    all.filter((file) => file.path.startsWith('node_modules/') === wanted),
  )
  // With npm and yarn, which the plugin of plugins would bring along, it would be 24 MB more.
  expect(bundled!.map((file) => file.path)).toContain('node_modules/@oclif/plugin-plugins/package.json')
  expect(bundled!.reduce((bytes, { size }) => bytes + size, 0)).toBeLessThan(8_000_000)
  const files = own!.map((file) => file.path)
  expect(files).toEqual(
    expect.arrayContaining([
      'bin/run.js',
      'dist/start.js',
      'dist/agent/main.js',
      'dist/kept/watchdog-end.js',
      'dist/hub/store/store-worker.js',
      'docs/errors.md',
      'man/connect.1',
      'man/connect-daemon.1',
      'LICENSE',
      'oclif.manifest.json',
      'package.json',
      'README.md',
    ]),
  )
  expect(
    files.filter((file) => /^(src|test|scripts|plugins|\.ci|\.github)\/|\.(tgz|log|tmp)$/.test(file)),
  ).toEqual([])
  const stray = files.filter((file) => {
    const text = readFileSync(path.join(root, file), 'utf8')
    return [root, homedir()].some((folder) => text.includes(`${folder}${path.sep}`))
  })
  expect(stray).toEqual([])
})

test('another package can import what the documents say, and nothing else of this one', () => {
  const file = path.join(root, 'package.json')
  // A package may import itself by its own name, and gets what others would.
  const { resolve } = createRequire(file)
  const { exports } = JSON.parse(readFileSync(file, 'utf8')) as { exports: Record<string, string> }
  expect(Object.keys(exports).toSorted()).toEqual(['.', './conformance', './package.json', './platform'])
  for (const name of Object.keys(exports))
    expect(existsSync(resolve(path.posix.join('private-connect', name))), name).toBe(true)
  const pages = ['platform-plugins', 'library'].map((name) =>
    readFileSync(path.join(root, 'docs', `${name}.md`), 'utf8'),
  )
  const imported = [...pages.join('').matchAll(/from '(private-connect[^']*)'/g)].map(([, name]) => name!)
  const named = ['private-connect', 'private-connect/platform', 'private-connect/conformance']
  expect(new Set(imported)).toEqual(new Set(named))
  for (const inner of ['private-connect/dist/errors.js', 'private-connect/bin/run.js'])
    expect(() => resolve(inner), inner).toThrow(/"exports"|not defined by/)
})

test.skipIf(process.platform === 'win32')('the program can be run as it is', () => {
  const file = path.join(root, 'bin', 'run.js')
  expect(readFileSync(file, 'utf8')).toMatch(/^#!\/usr\/bin\/env node\n/)
  expect(statSync(file).mode & 0o111).toBe(0o111)
})

test('an old Node.js is told what it is, and what is needed', () => {
  const script = readFileSync(path.join(root, 'bin', 'run.js'), 'utf8')
  const { engines } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as {
    engines: { node: string }
  }
  const [, oldest] = /^>=(\d+\.\d+)$/.exec(engines.node)!
  expect(script).toContain(`needs Node.js ${oldest} or newer`)
  // What an old one cannot parse would be a SyntaxError before any sentence.
  expect(script).not.toMatch(/^import |await [^i]/m)
})
