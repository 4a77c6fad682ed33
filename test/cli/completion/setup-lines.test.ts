import { spawnSync } from 'node:child_process'
import { mkdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { setupLines, startLine } from '../../../src/cli/completion/setup-lines.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'

const at = { home: '/home/ada', env: {}, platform: 'linux' } as const

test('bash reads another file where a terminal starts login shells', () => {
  const line = `echo 'eval "$(connect autocomplete bash)"' >> `
  expect(setupLines('bash', at)).toEqual([`${line}~/.bashrc`])
  expect(setupLines('bash', { ...at, platform: 'darwin' })).toEqual([`${line}~/.bash_profile`])
})

test('a folder that the user has chosen is named so that no shell takes it for anything else', () => {
  const odd = `/srv/it's "my" $HOME\\`
  expect(setupLines('zsh', at)[0]).toMatch(/ >> ~\/\.zshrc$/)
  expect(setupLines('zsh', { ...at, env: { ZDOTDIR: '/home/ada/my dir' } })[0]).toMatch(
    / >> ~\/'my dir\/\.zshrc'$/,
  )
  expect(setupLines('zsh', { ...at, env: { ZDOTDIR: odd } })[0]).toContain(
    String.raw` >> '/srv/it'\''s "my" $HOME\/.zshrc'`,
  )
  expect(setupLines('fish', at)).toEqual([
    'mkdir -p ~/.config/fish/completions',
    'connect autocomplete fish > ~/.config/fish/completions/connect.fish',
  ])
  expect(setupLines('fish', { ...at, env: { XDG_CONFIG_HOME: odd } })[0]).toBe(
    String.raw`mkdir -p '/srv/it\'s "my" $HOME\\/fish/completions'`,
  )
})

test('PowerShell knows its own file, and gets the line in it, behind a last one that is not ended', () => {
  expect(setupLines('powershell', at).at(-1)).toBe(`Add-Content $PROFILE '', '${startLine('powershell')}'`)
})

test.for(['bash', 'zsh'] as const)('what is told for %s does what it says, wherever the home is', (shell) => {
  const home = path.join(scratchFolder(), ` it's "my" $HOME; %s \\n ü`)
  mkdirSync(home)
  const lines = setupLines(shell, { ...at, home, env: { ZDOTDIR: home } })
  const { stderr, status } = spawnSync('sh', ['-c', lines.join('\n')], {
    env: { HOME: home },
    encoding: 'utf8',
  })
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 })
  expect(readFileSync(path.join(home, `.${shell}rc`), 'utf8')).toBe(`${startLine(shell)}\n`)
})
