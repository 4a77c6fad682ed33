import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeAll, describe, expect, test } from 'vitest'
import { connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { makeLauncher, type Launcher } from './helpers/launcher.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { Terminal } from './helpers/terminal.ts'

const PROMPT = 'READY>'

interface Shell {
  readonly name: string
  readonly argv: readonly string[]
  /** What it reads at its start, from which folder. */
  readonly file: (home: Home) => string
  /** What is in that, so that it is known to be there, and little moves. */
  readonly settings: string
  /** What the user adds. */
  readonly line: string
  /** Forgets where `connect` is. */
  readonly lose: string
}

const BASH: Shell = {
  name: 'bash',
  argv: ['bash', '--noprofile'],
  file: ({ folder }) => path.join(folder, '.bashrc'),
  settings: `PS1='${PROMPT} '\n`,
  line: 'eval "$(connect autocomplete bash)"\n',
  lose: 'PATH=/usr/bin:/bin',
}
const ZSH: Shell = {
  name: 'zsh',
  argv: ['zsh', '-d'],
  file: ({ folder, env }) => path.join(env.ZDOTDIR ?? folder, '.zshrc'),
  settings: `PS1='${PROMPT} '\nunsetopt beep\n`,
  line: 'eval "$(connect autocomplete zsh)"\n',
  lose: 'PATH=/usr/bin:/bin',
}
const FISH: Shell = {
  name: 'fish',
  argv: ['fish'],
  file: ({ folder, env }) =>
    path.join(env.XDG_CONFIG_HOME ?? path.join(folder, '.config'), 'fish/config.fish'),
  settings: `
    function fish_prompt; echo '${PROMPT} '; end
    set -g fish_greeting
    set -g fish_autosuggestion_enabled 0\n`,
  line: 'connect autocomplete fish | source\n',
  lose: 'set PATH /usr/bin /bin',
}
const SHELLS = [BASH, ZSH, FISH]

/** What some have set, and a script must bear. */
const STRICT = 'set -u; set -o posix; COMP_WORDBREAKS=${COMP_WORDBREAKS//[=:@]/}\n'
const COMPINIT = 'autoload -Uz compinit; compinit -D\n'
const VARIANTS: Shell[] = [
  ...SHELLS,
  { ...BASH, name: 'bash that is strict, and breaks words elsewhere', settings: BASH.settings + STRICT },
  { ...ZSH, name: 'zsh whose completion is set up before', settings: ZSH.settings + COMPINIT },
  { ...ZSH, name: 'zsh whose completion is set up after', line: ZSH.line + COMPINIT },
]

type Typed = readonly (readonly [typed: string, shown: string])[]

/** What is typed before a Tab, and what stands there after it; a blank at the end where the word is whole. */
const TYPED: Typed = [
  ['connect daemon sto', 'connect daemon stop '],
  ['connect hub token cr', 'connect hub token create '],
  ['connect daemon logs --fol', 'connect daemon logs --follow '],
  ['connect daemon logs --level=w', 'connect daemon logs --level=warn '],
  ['connect --config x.json daemon unin', 'connect --config x.json daemon uninstall '],
  ['connect reach po', 'connect reach postgres '],
  ['connect reach cache po', 'connect reach cache postgres '],
  ['connect reach postgres:', 'connect reach postgres:5432 '],
  ['connect ssh ada@po', 'connect ssh ada@postgres '],
  ['connect unreach ', 'connect unreach kept-one '],
  ['connect unexpose ca', 'connect unexpose cache '],
  ['connect reach postgres -- dpkg-quer', 'connect reach postgres -- dpkg-query '],
  ['connect reach postgres -- cat my', 'connect reach postgres -- cat my\\ folder/'],
  ['connect daemon status --config my', 'connect daemon status --config my\\ folder/'],
  [
    'connect daemon status --config "my folder/st',
    'connect daemon status --config "my folder/staging.json" ',
  ],
  ['connect whoami my', 'connect whoami my'],
  ['connect nonsense ', 'connect nonsense '],
]

/** The first is known without the agent; what the second begins with is in a file. */
const WITHOUT_AGENT: Typed = [
  ['connect daemon sto', 'connect daemon stop '],
  ['connect reach ke', 'connect reach kept-one '],
]

labSuite('completion, typed in a terminal', { programs: ['tmux', 'bash', 'zsh', 'fish'] }, () => {
  const own = ownedBySuite()
  let world: World
  let launcher: Launcher
  let here: Home
  const open: Terminal[] = []

  beforeAll(async () => {
    launcher = own(makeLauncher(), (it) => it.remove())
    world = own(await World.start(), (it) => it.stop())
    here = await world.machine(`it's "my" home`)
    mkdirSync(path.join(here.folder, 'my folder'))
    writeFileSync(path.join(here.folder, 'my folder', 'staging.json'), '')
    await connectOk(here, ['expose', '5432', '--name', 'postgres'])
    await connectOk(here, ['expose', '6379', '--name', 'cache'])
    await startDaemon()
    await connectOk(here, ['reach', 'kept-one', '--port', '0', '--keep'])
  })

  afterEach(async () => {
    for (const terminal of open.splice(0)) await terminal.close()
  })

  async function startDaemon(): Promise<void> {
    await connectOk(here, ['daemon', 'start'])
    await connectOk(here, ['daemon', 'status', '--wait', '30s'])
  }

  async function openIn(home: Home, { argv }: Shell): Promise<Terminal> {
    const env = { ...home.env, PATH: launcher.path, LANG: 'C.UTF-8' }
    const terminal = await Terminal.run(argv, { env, cwd: home.folder })
    open.push(terminal)
    await terminal.shows(new RegExp(PROMPT))
    return terminal
  }

  /** In a home that has these settings. */
  function terminalIn(home: Home, shell: Shell, settings = shell.settings + shell.line): Promise<Terminal> {
    mkdirSync(path.dirname(shell.file(home)), { recursive: true })
    writeFileSync(shell.file(home), settings)
    return openIn(home, shell)
  }

  /**
   * Types it, Tab, and a mark, which is there once the shell is done with the Tab.
   *
   * @returns all that the screen shows, but for the prompt and the mark
   */
  async function completed(terminal: Terminal, typed: string): Promise<string> {
    await terminal.press('C-u')
    await terminal.press('C-l')
    await terminal.shows(new RegExp(`^\\s*${PROMPT}\\s*$`))
    await terminal.write(typed)
    await terminal.press('Tab')
    await terminal.write('#')
    await terminal.shows(/#\s*$/)
    const screen = await terminal.unwrapped()
    return screen.trim().replace(`${PROMPT} `, '').slice(0, -1)
  }

  async function expectCompleted(terminal: Terminal, table: Typed): Promise<void> {
    const shown: [string, string][] = []
    for (const [typed] of table) shown.push([typed, await completed(terminal, typed)])
    expect(shown).toEqual(table)
  }

  test.for(VARIANTS)('$name', async (shell) => {
    await expectCompleted(await terminalIn(here, shell), TYPED)
  })

  describe.for(SHELLS)('in $name', (shell) => {
    test('a choice is listed, and what each of it is where the shell can say so', async () => {
      const terminal = await terminalIn(here, shell)
      await terminal.write('connect daemon sta')
      for (const _ of [1, 2]) await terminal.press('Tab')
      const about = shell === BASH ? '' : '.+Start the daemon'
      await terminal.shows(new RegExp(`^start\\b${about}[^]*\\bstatus\\b`, 'm'))
    })

    test('while the agent hangs files answer, and nothing is said of it', async () => {
      const terminal = await terminalIn(here, shell)
      const pid = Number(readFileSync(here.file('daemon.pid'), 'utf8'))
      process.kill(pid, 'SIGSTOP')
      try {
        await expectCompleted(terminal, WITHOUT_AGENT)
      } finally {
        process.kill(pid, 'SIGCONT')
      }
    })

    test('without an agent files answer', async () => {
      const terminal = await terminalIn(here, shell)
      await connectOk(here, ['daemon', 'stop'])
      try {
        await expectCompleted(terminal, WITHOUT_AGENT)
      } finally {
        await startDaemon()
      }
    })

    test('the hub on this machine says who has joined, and nothing is said while it hangs', async () => {
      const terminal = await terminalIn(world.hubHome, shell)
      const listed = await connectOk(world.hubHome, ['hub', 'agent', 'list', '--json'])
      const { id } = (JSON.parse(listed) as { agents: { id: string }[] }).agents[0]!
      const typed = `connect hub agent revoke ${id.slice(0, -6)}`
      await expectCompleted(terminal, [[typed, `connect hub agent revoke ${id} `]])
      process.kill(world.hub.pid, 'SIGSTOP')
      try {
        await expectCompleted(terminal, [[typed, typed]])
      } finally {
        process.kill(world.hub.pid, 'SIGCONT')
      }
    })

    test('what connect autocomplete tells to run is right, wherever that shell’s files are', async () => {
      const machine = world.emptyMachine(`it's "my" home`)
      const odd = path.join(machine.folder, `it's "my" $HOME; files`)
      const env = { ...machine.env, ZDOTDIR: odd, XDG_CONFIG_HOME: odd }
      const home = { ...machine, env }
      mkdirSync(odd, { recursive: true })
      const first = await terminalIn(home, shell, shell.settings)
      await first.type(`connect autocomplete ${shell.name}`)
      const [, told] = await first.shows(/completes connect:\s+^((?: {2}\S.*\n)+)\s*In this one/m)
      for (const command of told!.trim().split(/\n\s*/)) await first.type(command)
      await first.type(`echo ''that was all`)
      await first.shows(/^that was all/m)
      await expectCompleted(await openIn(home, shell), [['connect daemon sto', 'connect daemon stop ']])
    })

    test('where the program is gone nothing is said of that', async () => {
      const terminal = await terminalIn(here, shell)
      await terminal.type(shell.lose)
      await expectCompleted(terminal, [['connect daemon sto', 'connect daemon sto']])
    })
  })
})
