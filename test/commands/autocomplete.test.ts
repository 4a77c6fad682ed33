import { spawnSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { connect, connectOk, root, runJs } from '../helpers/cli.ts'

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

test('a plugin that is linked is not warned of by each command', async () => {
  const [home, plugin] = [emptyHome(), path.join(scratchFolder(), 'plugin')]
  cpSync(path.join(root, 'test', 'fixtures', 'plugin-platform'), plugin, { recursive: true })
  const { code } = await connect(home, ['plugins', 'link', '--no-install', plugin])
  expect(code).toBe(0)
  expect(await connectOk(home, ['plugins'])).toContain('plugin-platform 1.0.0 (link)')
  expect(await connect(home, ['daemon', 'status'])).toMatchObject({ code: 0, stderr: '' })
})

test('a folder, or a tarball, is installed as a plugin, and not looked for at GitHub', async (context) => {
  if (spawnSync('npm', ['--version']).error) context.skip('npm is not installed')
  const [home, folder] = [emptyHome(), scratchFolder()]
  mkdirSync(home.folder)
  cpSync(path.join(root, 'test', 'fixtures', 'plugin-platform'), path.join(home.folder, 'plugin'), {
    recursive: true,
  })
  const env = { npm_config_offline: 'true', npm_config_cache: folder, npm_config_update_notifier: 'false' }
  const { code, stderr } = await connect(home, ['plugins', 'install', './plugin'], { env })
  expect({ code, stderr }).toEqual({ code: 0, stderr: expect.stringContaining('Installing plugin file:') })
  expect(await connectOk(home, ['plugins'])).toContain('plugin-platform 1.0.0')
  expect(
    existsSync(path.join(home.folder, '.local/share/private-connect/node_modules/plugin-platform')),
  ).toBe(true)
})
