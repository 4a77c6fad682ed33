import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { needsTerminal } from '../fixtures/machine/needs-terminal.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, runJs } from '../helpers/cli.ts'

/** What a shell says to a script that it is only to read. */
const READ = [
  ['bash', ['-n']],
  ['zsh', ['-n']],
  ['fish', ['--no-execute']],
] as const

test.for(READ)('what is piped on is a script that %s can read', async ([shell, args], context) => {
  if (spawnSync(shell, ['--version']).error) context.skip(`${shell} is not installed`)
  const [home, file] = [emptyHome(), path.join(scratchFolder(), 'script')]
  const script = await connectOk(home, ['autocomplete', shell])
  writeFileSync(file, script)
  const { status, stderr } = spawnSync(shell, [...args, file], { env: home.env, encoding: 'utf8' })
  expect({ status, stderr }).toEqual({ status: 0, stderr: '' })
  expect(script).toContain(`connect __complete ${shell} `)
})

test('bash has it by the line that is told', async () => {
  const home = emptyHome(`it's "my" home`)
  mkdirSync(home.folder)
  const env = { ...home.env, NODE: process.execPath, RUN: runJs }
  const line = `eval "$("$NODE" "$RUN" autocomplete bash)"; complete -p connect`
  expect(execFileSync('bash', ['-c', line], { env, encoding: 'utf8' })).toBe(
    'complete -o default -F _connect connect\n',
  )
})

test('on a terminal it tells what to run, for the login shell', (context) => {
  needsTerminal(context)
  const home = emptyHome()
  const command = `'${process.execPath}' '${runJs}' autocomplete`
  const { stdout } = spawnSync('script', ['-qec', command, '/dev/null'], {
    env: { ...home.env, SHELL: '/usr/bin/zsh' },
    encoding: 'utf8',
  })
  expect(stdout.replaceAll('\r', ''))
    .toBe(`Run this once, and each zsh that you open from then on completes connect:

  echo 'eval "$(connect autocomplete zsh)"' >> ~/.zshrc

In this one at once:

  eval "$(connect autocomplete zsh)"
`)
})

test('a shell that it does not know is an error, which names those that it knows', async () => {
  const home = emptyHome()
  expect(await connect(home, ['autocomplete', 'tcsh'])).toMatchObject({
    code: 2,
    stdout: '',
    stderr: expect.stringContaining('bash, zsh, fish, powershell') as string,
  })
  const env = { SHELL: '/bin/tcsh' }
  expect(await connect(home, ['autocomplete'], { env })).toMatchObject({
    code: 2,
    stdout: '',
    stderr: `[x] Which shell to complete in is not known
  Run: connect autocomplete bash
  Run: connect autocomplete zsh
  Run: connect autocomplete fish
  Run: connect autocomplete powershell
`,
  })
})
