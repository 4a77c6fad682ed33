import { spawnSync } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connectOk, runJs } from '../helpers/cli.ts'

const SHELLS = [
  ['bash', 'source ~/.bashrc && complete -p connect', /^complete -F _connect_autocomplete connect$/m],
  ['zsh', 'source ~/.zshrc && print -- ${_comps[connect]}', /^_connect$/m],
] as const

const FOLDERS = [
  ['a home with blanks, quotes and signs of printf', ` it's "my" $HOME; %s \\n ü`, undefined],
  ['XDG_CACHE_HOME elsewhere, with the same', 'home', ` it's "my" $HOME; %s \\n ü`],
] as const

const CASES = SHELLS.flatMap((shell) => FOLDERS.map((folder) => [...shell, ...folder] as const))

test.for(CASES)('%s completes as the instructions say, with %s%s%s', async (one, context) => {
  const [shell, script, shown, , name, cache] = one
  if (spawnSync(shell, ['--version']).error) context.skip(`${shell} is not installed`)
  const home = emptyHome(name)
  mkdirSync(home.folder)
  const env = {
    ...home.env,
    ...(cache !== undefined && { XDG_CACHE_HOME: path.join(scratchFolder(), cache) }),
    NODE: process.execPath,
    RUN: runJs,
  }
  const instructions = await connectOk(home, ['autocomplete', shell], { env })
  expect(instructions).toContain(`printf "$(connect autocomplete script ${shell})" >> ~/.${shell}rc`)
  const asTold = `printf "$("$NODE" "$RUN" autocomplete script ${shell})" >> ~/.${shell}rc; ${script}`
  const { stdout, stderr } = spawnSync(shell, ['-c', asTold], { env, encoding: 'utf8' })
  expect({ stdout, stderr }).toEqual({ stdout: expect.stringMatching(shown), stderr: '' })
})
