import { spawnSync } from 'node:child_process'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test, vi } from 'vitest'
import { bash } from '../../../src/cli/completion/shells/bash.ts'
import { fish } from '../../../src/cli/completion/shells/fish.ts'
import { powershell } from '../../../src/cli/completion/shells/powershell.ts'
import type { Reply } from '../../../src/cli/completion/shells/reply.ts'
import { zsh } from '../../../src/cli/completion/shells/zsh.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

/** As bash has it, unless somebody changes it. */
const BREAKS = ' \t\n"\'@><=;|&(:'

const reply = (part: Partial<Reply>): Reply => ({
  kind: 'words',
  candidates: [],
  prefix: '',
  typed: '',
  first: 0,
  ...part,
})
const about = (...values: string[]) => values.map((value) => ({ value, about: '' }))

/** As .NET's Regex.Unescape. */
const unescaped = (line: string) =>
  line.replaceAll(/\\(?:u([\da-f]{4})|\\)/g, (_, code?: string) =>
    code === undefined ? '\\' : String.fromCharCode(Number.parseInt(code, 16)),
  )

describe('a line of bash is', () => {
  test.for([
    ['connect ', ['connect'], '', 0],
    ['connect re', ['connect'], 're', 0],
    ['connect reach pg:15', ['connect', 'reach'], 'pg:15', 3],
    ['connect ssh alice@d', ['connect', 'ssh'], 'alice@d', 5],
    ['connect up --config=a', ['connect', 'up'], '--config=a', 9],
    ["connect up --config='my d", ['connect', 'up'], '--config=my d', 9],
    ['connect up --config "a\\"b\\c', ['connect', 'up', '--config'], 'a"b\\c', 0],
    ['connect up --config my\\ d', ['connect', 'up', '--config'], 'my d', 0],
    ["connect a'b c'd e", ['connect', 'ab cd'], 'e', 0],
    ["connect '' ", ['connect', ''], '', 0],
    ["connect 'a", ['connect'], 'a', 0],
    ['connect a\\', ['connect'], 'a', 0],
    ["connect 'a\\' b", ['connect', 'a\\'], 'b', 0],
    ['', [], '', 0],
  ] as const)(
    '%j: %j, and then %j, of which it replaces what is behind %i',
    ([line, words, typed, start]) => {
      expect(bash.read([line, BREAKS])).toEqual({ words, typed, start })
    },
  )

  test('taken by other breaks, where somebody has set them', () => {
    expect(bash.read(['connect up --config=a', ' :'])).toMatchObject({ typed: '--config=a', start: 0 })
    expect(bash.read([])).toEqual({ words: [], typed: '', start: 0 })
  })
})

test('bash is told what fits, as far as it replaces it', () => {
  const [none, some] = [
    { words: [], typed: '', start: 0 },
    { words: [], typed: 'pg:1', start: 3 },
  ]
  expect(bash.write(reply({ candidates: about('start', 'stop', 'up'), typed: 'st' }), none)).toEqual([
    'words 0',
    'start',
    'stop',
  ])
  expect(bash.write(reply({ candidates: about('15', '25'), prefix: 'pg:', typed: '1' }), some)).toEqual([
    'words 0',
    '15',
  ])
  const files = reply({ kind: 'files', prefix: '--config=', candidates: about('/a') })
  expect(bash.write(files, none)).toEqual(['files 9', '--config=/a'])
  expect(bash.write(files, { ...none, start: 9 })).toEqual(['files 0', '/a'])
})

test('zsh and fish are told all, and what it is: what fits is for them to say', () => {
  const asked = { words: [], typed: 'x', start: 0 }
  const values = reply({ prefix: '--level=', candidates: [{ value: 'info', about: 'most' }] })
  expect(zsh.write(values, asked)).toEqual(['words 8', 'info\tmost'])
  expect(fish.write(values, asked)).toEqual(['words 8', '--level=info\tmost'])
  expect(zsh.write(reply({ kind: 'program', first: 4 }), asked)).toEqual(['program 4'])
  for (const shell of [zsh, fish]) {
    expect(shell.read(['connect', 'a'])).toEqual({ words: ['connect'], typed: 'a', start: 0 })
    expect(shell.read([])).toEqual({ words: [], typed: '', start: 0 })
  }
})

test('PowerShell asks by its environment, and is told what to insert, to list and to say', () => {
  vi.stubEnv('CONNECT_COMPLETE', 'connect\nup\n--config=')
  onTestFinished(() => void vi.unstubAllEnvs())
  expect(powershell.read([])).toEqual({ words: ['connect', 'up'], typed: '--config=', start: 0 })
  const asked = powershell.read([])
  const values = reply({ kind: 'files', prefix: '--config=', candidates: about("/it's", '/b') })
  expect(powershell.write(values, asked)).toEqual([
    'files 9',
    "'--config=/it''s'\t/it's\t/it's",
    '--config=/b\t/b\t/b',
  ])
  // It takes each of these for the same quote.
  const curved = reply({ kind: 'files', candidates: about('/bob’s; x', '/‘‚‛') })
  expect(powershell.write(curved, asked).slice(1).map(unescaped)).toEqual([
    "'/bob’’s; x'\t/bob’s; x\t/bob’s; x",
    "'/‘‘‚‚‛‛'\t/‘‚‛\t/‘‚‛",
  ])
  const person = reply({ prefix: 'ada@', candidates: about('db') })
  expect(powershell.write(person, asked)).toEqual(['words 4', 'ada@db\tdb\tdb'])
  const some = reply({ candidates: about('start', 'up'), typed: 'ST' })
  expect(powershell.write(some, asked)).toEqual(['words 0', 'start\tstart\tstart'])
  vi.stubEnv('CONNECT_COMPLETE', undefined)
  expect(powershell.read([])).toEqual({ words: [], typed: '', start: 0 })
})

test('PowerShell is answered in ASCII, which it reads in any code page', () => {
  const asked = { words: [], typed: '', start: 0 }
  const files = reply({ kind: 'files', candidates: [{ value: String.raw`C:\José\up`, about: 'naïve 😀' }] })
  const lines = powershell.write(files, asked)
  expect(lines.join('')).toMatch(/^[\t -~]+$/)
  expect(lines.map(unescaped)).toEqual(['files 0', "'C:\\José\\up'\tC:\\José\\up\tnaïve 😀"])
})

test('zsh shows no mark for a description that there is not', ({ skip }) => {
  if (spawnSync('zsh', ['--version']).error) skip('zsh is not installed')
  const folder = scratchFolder()
  const answer = 'words 0\\ninfo\\t\\nweb:80\\ta service\\n'
  writeFileSync(path.join(folder, 'connect'), `#!/bin/sh\nprintf '${answer}'\n`, { mode: 0o755 })
  const typed = `words=(connect ''); CURRENT=2; PREFIX=''; _describe() { print -rl -- "\${(@P)4}" }; _connect`
  const env = { ...process.env, PATH: `${folder}:${process.env.PATH}` }
  const { stdout } = spawnSync('zsh', ['-f', '-c', `${zsh.script}${typed}`], { env, encoding: 'utf8' })
  expect(stdout).toBe('info\nweb\\:80:a service\n')
})
