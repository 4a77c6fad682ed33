import { symlinkSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { resolveExecutable } from '../../src/program/executable.ts'
import { GLOBAL_SCRIPT, HOME, Layout } from '../fixtures/machine/layout.ts'
import { runProgram } from '../fixtures/run-fixture.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'
import { root, runJs } from '../helpers/cli.ts'

interface NodeLayout {
  readonly manager: string
  /** Where the running Node.js really lies, and the newer one afterwards. */
  readonly real: string
  readonly newer: string
  /** Links to what the first one replaces in the second one’s path: `{real}` stands for either. */
  readonly links: readonly (readonly [string, (real: string) => string])[]
  readonly PATH?: readonly string[]
  readonly found: string
}

const up = (levels: number) => (real: string) => path.join(real, ...Array<string>(levels).fill('..'))
const FNM = `${HOME}/.local/share/fnm`
const MISE = `${HOME}/.local/share/mise/installs`
const STORE = '/nix/store/q69xad13ghpf7ir87h0b2gd28lafjj1j-nodejs'

const NODES: readonly NodeLayout[] = [
  {
    manager: 'Homebrew on Apple silicon',
    real: '/opt/homebrew/Cellar/node/24.1.0/bin/node',
    newer: '/opt/homebrew/Cellar/node/24.2.0_1/bin/node',
    links: [
      ['/opt/homebrew/opt/node', up(2)],
      ['/opt/homebrew/bin/node', up(0)],
    ],
    PATH: ['/opt/homebrew/bin', '/usr/bin'],
    found: '/opt/homebrew/opt/node/bin/node',
  },
  {
    manager: 'Homebrew, a formula of one line that is not linked into bin',
    real: '/home/linuxbrew/.linuxbrew/Cellar/node@22/22.20.0/bin/node',
    newer: '/home/linuxbrew/.linuxbrew/Cellar/node@22/22.21.0/bin/node',
    links: [['/home/linuxbrew/.linuxbrew/opt/node@22', up(2)]],
    found: '/home/linuxbrew/.linuxbrew/opt/node@22/bin/node',
  },
  {
    manager: 'mise, the line that was chosen',
    real: `${MISE}/node/24.1.0/bin/node`,
    newer: `${MISE}/node/24.2.0/bin/node`,
    links: [
      [`${MISE}/node/24`, (real) => `./${path.basename(up(2)(real))}`],
      [`${MISE}/node/latest`, (real) => `./${path.basename(up(2)(real))}`],
    ],
    PATH: [`${MISE}/node/24.1.0/bin`],
    found: `${MISE}/node/24/bin/node`,
  },
  {
    manager: 'mise, whose line has a newer version already',
    real: `${MISE}/node/24.1.0/bin/node`,
    newer: `${MISE}/node/24.2.0/bin/node`,
    links: [[`${MISE}/node/lts`, (real) => `./${path.basename(up(2)(real))}`]],
    found: `${MISE}/node/lts/bin/node`,
  },
  {
    manager: 'fnm, in a shell',
    real: `${FNM}/node-versions/v24.1.0/installation/bin/node`,
    newer: `${FNM}/node-versions/v24.2.0/installation/bin/node`,
    links: [
      [`${FNM}/aliases/default`, up(2)],
      ['/run/user/1000/fnm_multishells/42545_1771219131969', up(2)],
    ],
    PATH: ['/run/user/1000/fnm_multishells/42545_1771219131969/bin'],
    found: `${FNM}/aliases/default/bin/node`,
  },
  {
    manager: 'nvm with NVM_SYMLINK_CURRENT',
    real: `${HOME}/.nvm/versions/node/v24.1.0/bin/node`,
    newer: `${HOME}/.nvm/versions/node/v24.2.0/bin/node`,
    links: [[`${HOME}/.nvm/current`, up(2)]],
    PATH: [`${HOME}/.nvm/versions/node/v24.1.0/bin`],
    found: `${HOME}/.nvm/current/bin/node`,
  },
  {
    manager: 'n, which copies the one in use',
    real: '/usr/local/bin/node',
    newer: '/usr/local/bin/node',
    links: [],
    PATH: ['/usr/local/bin'],
    found: '/usr/local/bin/node',
  },
  {
    manager: 'NixOS',
    real: `${STORE}-24.1.0/bin/node`,
    newer: `${STORE}-24.2.0/bin/node`,
    links: [
      ['/run/current-system/sw/bin/node', up(0)],
      [`${HOME}/.nix-profile/bin/node`, () => '/nix/store/another-nodejs-22.20.0/bin/node'],
    ],
    PATH: ['/run/current-system/sw/bin'],
    found: '/run/current-system/sw/bin/node',
  },
  {
    manager: 'Nix, in the user’s profile',
    real: `${STORE}-24.1.0/bin/node`,
    newer: `${STORE}-24.2.0/bin/node`,
    links: [
      [`${HOME}/.local/state/nix/profiles/profile-7-link/bin/node`, up(0)],
      [`${HOME}/.nix-profile`, () => `${HOME}/.local/state/nix/profiles/profile-7-link`],
    ],
    found: `${HOME}/.nix-profile/bin/node`,
  },
  {
    manager: 'home-manager on NixOS',
    real: `${STORE}-24.1.0/bin/node`,
    newer: `${STORE}-24.2.0/bin/node`,
    links: [['/etc/profiles/per-user/alice/bin/node', up(0)]],
    found: '/etc/profiles/per-user/alice/bin/node',
  },
  {
    manager: 'Guix',
    real: '/gnu/store/0k1x-node-24.1.0/bin/node',
    newer: '/gnu/store/7b2c-node-24.2.0/bin/node',
    links: [[`${HOME}/.guix-profile/bin/node`, up(0)]],
    found: `${HOME}/.guix-profile/bin/node`,
  },
  {
    manager: 'snap',
    real: '/snap/node/9981/bin/node',
    newer: '/snap/node/10012/bin/node',
    links: [['/snap/node/current', (real) => path.basename(up(2)(real))]],
    PATH: ['/snap/bin'],
    found: '/snap/node/current/bin/node',
  },
  {
    manager: 'Debian’s alternatives',
    real: '/usr/lib/nodejs-24/bin/node',
    newer: '/usr/lib/nodejs-26/bin/node',
    links: [
      ['/etc/alternatives/node', up(0)],
      ['/usr/bin/node', () => '/etc/alternatives/node'],
    ],
    // As in a shell of cron’s, or none at all.
    PATH: [],
    found: '/usr/bin/node',
  },
  {
    manager: 'Fedora, whose binary has the line in its name',
    real: '/usr/bin/node-24',
    newer: '/usr/bin/node-26',
    links: [['/usr/bin/node', (real) => path.basename(real)]],
    PATH: ['/usr/local/bin', '/usr/bin'],
    found: '/usr/bin/node',
  },
  {
    manager: 'pnpm env',
    real: `${HOME}/.local/share/pnpm/nodejs/24.1.0/bin/node`,
    newer: `${HOME}/.local/share/pnpm/nodejs/24.2.0/bin/node`,
    links: [[`${HOME}/.local/share/pnpm/node`, up(0)]],
    PATH: [`${HOME}/.local/share/pnpm`],
    found: `${HOME}/.local/share/pnpm/node`,
  },
  {
    manager: 'an archive that someone unpacked and linked',
    real: '/opt/node-v24.1.0-linux-x64/bin/node',
    newer: '/opt/node-v24.2.0-linux-x64/bin/node',
    links: [['/opt/node', up(2)]],
    PATH: ['.', '', '/opt/node-v24.1.0-linux-x64/bin', '/opt/node/bin'],
    found: '/opt/node/bin/node',
  },
]

describe('the Node.js of', () => {
  test.for(NODES)('$manager lives through an upgrade', ({ real, newer, links, PATH, found }) => {
    const layout = new Layout()
    layout.script(GLOBAL_SCRIPT, '0.1.0')
    layout.node(real, 'old')
    layout.node('/nix/store/another-nodejs-22.20.0/bin/node', 'another')
    for (const [link, target] of links) layout.link(link, target(real))
    const executable = layout.resolve({ execPath: real, ...(PATH && { PATH }) })
    expect(executable).toEqual({ node: found, script: GLOBAL_SCRIPT })
    expect(layout.run(executable)).toBe('old runs 0.1.0')
    layout.remove(real)
    layout.node(newer, 'new')
    for (const [link, target] of links) layout.link(link, target(newer))
    expect(layout.run(executable)).toBe('new runs 0.1.0')
  })
})

interface Unstable {
  readonly title: string
  readonly real: string
  readonly links?: readonly (readonly [string, string])[]
  readonly shims?: readonly string[]
  readonly PATH: readonly string[]
  readonly script?: string
}

const VOLTA = `${HOME}/.volta/tools/image/node/24.1.0/bin/node`
const ASDF = `${HOME}/.asdf/installs/nodejs/24.1.0/bin/node`
const NVM = `${HOME}/.nvm/versions/node/v24.1.0`
const FNM_VERSION = `${FNM}/node-versions/v24.1.0/installation`
const SHELL = '/run/user/1000/fnm_multishells/1_2'

const UNSTABLE: readonly Unstable[] = [
  { title: 'Volta has a shim only', real: VOLTA, shims: [`${HOME}/.volta/bin/node`], PATH: ['~/.volta/bin'] },
  { title: 'asdf has a shim only', real: ASDF, shims: [`${HOME}/.asdf/shims/node`], PATH: ['~/.asdf/shims'] },
  { title: 'nvm has no link', real: `${NVM}/bin/node`, PATH: ['~/.nvm/versions/node/v24.1.0/bin'] },
  {
    title: 'nvm’s link leads to another version',
    real: `${NVM}/bin/node`,
    links: [[`${HOME}/.nvm/current`, `${HOME}/.nvm/versions/node/v22.20.0`]],
    PATH: ['~/.nvm/current/bin'],
  },
  {
    title: 'the script is one of the packages of that version, in nvm',
    real: `${NVM}/bin/node`,
    links: [[`${HOME}/.nvm/current`, NVM]],
    PATH: ['~/.nvm/current/bin'],
    script: `${NVM}/lib/node_modules/private-connect/bin/run.js`,
  },
  {
    title: 'the script is one of the packages of that version, in fnm',
    real: `${FNM_VERSION}/bin/node`,
    links: [
      [`${FNM}/aliases/default`, FNM_VERSION],
      [SHELL, FNM_VERSION],
    ],
    PATH: [`${SHELL}/bin`, `${FNM}/aliases/default/bin`],
    script: `${FNM_VERSION}/lib/node_modules/private-connect/bin/run.js`,
  },
  {
    title: 'all links are one shell’s',
    real: `${FNM_VERSION}/bin/node`,
    links: [
      [SHELL, FNM_VERSION],
      ['/usr/local/bin/node', `${SHELL}/bin/node`],
      ['/tmp/shell/node', `${FNM_VERSION}/bin/node`],
      [`${HOME}/.local/state/fnm_multishells/1_2`, FNM_VERSION],
    ],
    PATH: [`${SHELL}/bin`, '/usr/local/bin', '/tmp/shell', '~/.local/state/fnm_multishells/1_2/bin'],
  },
  {
    title: 'the only link is a project’s',
    real: '/srv/project/.tools/node-v24.1.0/bin/node',
    links: [['/srv/project/node_modules/.bin/node', '/srv/project/.tools/node-v24.1.0/bin/node']],
    PATH: ['/srv/project/node_modules/.bin'],
  },
  {
    title: 'links lead nowhere, or in a circle',
    real: ASDF,
    links: [
      ['/usr/bin/node', '/usr/bin/nodejs'],
      ['/usr/bin/nodejs', '/usr/bin/node'],
      ['/usr/local/bin/node', '/nowhere'],
    ],
    PATH: ['/usr/bin', '/usr/local/bin', '/missing'],
  },
]

describe('the Node.js stays the file itself where', () => {
  test.for(UNSTABLE)('$title', ({ real, links = [], shims = [], PATH, script = GLOBAL_SCRIPT }) => {
    const layout = new Layout()
    layout.script(script, '0.1.0')
    layout.node(real, 'this one')
    layout.node(`${HOME}/.nvm/versions/node/v22.20.0/bin/node`, 'another')
    for (const shim of shims) layout.shim(shim)
    for (const [link, target] of links) layout.link(link, target)
    const folders = PATH.map((folder) => folder.replace('~', HOME))
    const executable = layout.resolve({ execPath: real, script, PATH: folders })
    expect(executable).toEqual({ node: real, script })
    expect(layout.run(executable)).toBe('this one runs 0.1.0')
  })

  test('it has no version in its path, whatever links there are to it', () => {
    const layout = new Layout()
    layout.script(GLOBAL_SCRIPT, '0.1.0')
    layout.node('/usr/bin/node', 'this one')
    layout.link('/bin', 'usr/bin')
    const found = layout.resolve({ execPath: '/bin/node', PATH: ['/bin', '/usr/bin'] })
    expect(found.node).toBe('/usr/bin/node')
  })
})

interface ScriptLayout {
  readonly title: string
  readonly real: string
  readonly newer: string
  readonly links: readonly (readonly [string, (real: string) => string])[]
  readonly invokedAs: string | undefined
  readonly found: string
}

const PACKAGE = 'node_modules/private-connect/bin/run.js'
const PNPM = `${HOME}/.local/share/pnpm`
const HASH = '211dfade6c5fec01df8e1c4f2cb3ec0c56413d75c557fbe4f903010493d5d13f'

const SCRIPTS: readonly ScriptLayout[] = [
  {
    title: 'npm’s link in bin, by which it was called',
    real: GLOBAL_SCRIPT,
    newer: GLOBAL_SCRIPT,
    links: [['/usr/local/bin/connect', () => `../lib/${PACKAGE}`]],
    invokedAs: '/usr/local/bin/connect',
    found: '/usr/local/bin/connect',
  },
  {
    title: 'pnpm to version 10, whose shim calls the real path',
    real: `${PNPM}/global/5/.pnpm/private-connect@0.1.0/${PACKAGE}`,
    newer: `${PNPM}/global/5/.pnpm/private-connect@0.2.0/${PACKAGE}`,
    links: [[`${PNPM}/global/5/node_modules/private-connect`, up(2)]],
    invokedAs: `${PNPM}/global/5/.pnpm/private-connect@0.1.0/${PACKAGE}`,
    found: `${PNPM}/global/5/${PACKAGE}`,
  },
  {
    title: 'a dependency of a project that pnpm installed',
    real: `/srv/project/node_modules/.pnpm/private-connect@0.1.0/${PACKAGE}`,
    newer: `/srv/project/node_modules/.pnpm/private-connect@0.2.0/${PACKAGE}`,
    links: [['/srv/project/node_modules/private-connect', up(2)]],
    invokedAs: undefined,
    found: `/srv/project/${PACKAGE}`,
  },
  {
    title: 'pnpm from version 11, whose shim goes by a link into the store',
    real: `${PNPM}/store/v11/links/@/private-connect/0.1.0/61976/${PACKAGE}`,
    newer: `${PNPM}/store/v11/links/@/private-connect/0.2.0/87fb2/${PACKAGE}`,
    links: [
      [`${PNPM}/global/v11/29b5-18ea6bdd-0/node_modules/private-connect`, up(2)],
      [`${PNPM}/global/v11/${HASH}`, () => `${PNPM}/global/v11/29b5-18ea6bdd-0`],
    ],
    invokedAs: `${PNPM}/global/v11/${HASH}/${PACKAGE}`,
    found: `${PNPM}/global/v11/${HASH}/${PACKAGE}`,
  },
  {
    title: 'a formula of Homebrew’s',
    real: `/opt/homebrew/Cellar/private-connect/0.1.0/libexec/lib/${PACKAGE}`,
    newer: `/opt/homebrew/Cellar/private-connect/0.2.0/libexec/lib/${PACKAGE}`,
    links: [['/opt/homebrew/opt/private-connect', up(6)]],
    invokedAs: `/opt/homebrew/Cellar/private-connect/0.1.0/libexec/bin/connect`,
    found: `/opt/homebrew/opt/private-connect/libexec/lib/${PACKAGE}`,
  },
  {
    title: 'mise’s npm backend',
    real: `${MISE}/npm-private-connect/0.1.0/lib/${PACKAGE}`,
    newer: `${MISE}/npm-private-connect/0.2.0/lib/${PACKAGE}`,
    links: [[`${MISE}/npm-private-connect/latest`, (real) => `./${path.basename(up(5)(real))}`]],
    invokedAs: `${MISE}/npm-private-connect/0.1.0/bin/connect`,
    found: `${MISE}/npm-private-connect/latest/lib/${PACKAGE}`,
  },
  {
    title: 'a profile of Nix',
    real: `/nix/store/61976-private-connect-0.1.0/lib/${PACKAGE}`,
    newer: `/nix/store/87fb2-private-connect-0.2.0/lib/${PACKAGE}`,
    links: [[`${HOME}/.nix-profile/lib/node_modules/private-connect`, up(2)]],
    invokedAs: undefined,
    found: `${HOME}/.nix-profile/lib/${PACKAGE}`,
  },
]

describe('the script', () => {
  test.for(SCRIPTS)('lives through an upgrade by $title', ({ real, newer, links, invokedAs, found }) => {
    const layout = new Layout()
    layout.node('/usr/bin/node', 'this one')
    layout.script(real, '0.1.0')
    for (const [link, target] of links) layout.link(link, target(real))
    const executable = layout.resolve({
      execPath: '/usr/bin/node',
      script: real,
      ...(invokedAs !== undefined && { invokedAs }),
    })
    expect(executable).toEqual({ node: '/usr/bin/node', script: found })
    expect(layout.run(executable)).toBe('this one runs 0.1.0')
    layout.remove(up(2)(real))
    layout.script(newer, '0.2.0')
    for (const [link, target] of links) layout.link(link, target(newer))
    expect(layout.run(executable)).toBe('this one runs 0.2.0')
  })

  test.for([
    ['a temporary folder', '/tmp/link/connect'],
    ['one shell’s folder', `${SHELL}/bin/connect`],
    ['a folder of one version', `${NVM}/bin/connect`],
    ['a link that `nvm use` moves', `${HOME}/.nvm/current/bin/connect`],
    ['the cache of npx', `${HOME}/.npm/_npx/61976/node_modules/.bin/connect`],
    ['another script', '/usr/local/bin/other'],
    ['nothing any more', '/usr/local/bin/missing'],
  ])('is the file itself when it was called by %s', ([, invokedAs]) => {
    const layout = new Layout()
    layout.node('/usr/bin/node', 'this one')
    layout.script(GLOBAL_SCRIPT, '0.1.0')
    layout.script('/opt/other/bin/run.js', 'other')
    layout.link(invokedAs!, GLOBAL_SCRIPT)
    layout.link('/usr/local/bin/other', '/opt/other/bin/run.js')
    layout.link('/usr/local/bin/missing', '/opt/missing')
    expect(layout.resolve({ execPath: '/usr/bin/node', invokedAs: invokedAs! }).script).toBe(GLOBAL_SCRIPT)
  })
})

const ZIP = 'private-connect-npm-0.1.0-538c53f090.zip'

test.for([
  ['npx', `${HOME}/.npm/_npx/22f96766929a7d3f/${PACKAGE}`],
  [
    'dlx',
    `${HOME}/.cache/pnpm/dlx/fd8fc0d2fbaff2a01753d8b7e5901aba/mws2-89p/node_modules/.pnpm/a@1/${PACKAGE}`,
  ],
  ['dlx', `${PNPM}/store/v3/tmp/dlx-11121/${PACKAGE}`],
  ['dlx', `/tmp/xfs-8a9c7c8d/dlx-11121/${PACKAGE}`],
  ['bunx', `/tmp/bunx-1000-private-connect@latest/${PACKAGE}`],
  ['Yarn', `${HOME}/.yarn/berry/cache/${ZIP}/${PACKAGE}`],
])('a copy in the cache of %s is refused: %s', ([owner, script]) => {
  const layout = new Layout()
  layout.node('/usr/bin/node', 'this one')
  layout.script(script!, '0.1.0')
  const options = { execPath: '/usr/bin/node', script: script! }
  const error = thrownBy(() => layout.resolve(options))
  expect(error.code).toBe('RUN_FROM_CACHE')
  expect(error.message).toBe(
    `This copy of connect lies in ${owner}’s cache, which may be deleted at any time`,
  )
  expect(error.hints).toEqual([
    'Install it from its tarball: npm install -g ./private-connect-VERSION.tgz, then: connect daemon start',
  ])
  const install = thrownBy(() => layout.resolve({ ...options, command: 'connect daemon install' }))
  expect(install.hints).toEqual([
    'Install it from its tarball: npm install -g ./private-connect-VERSION.tgz, then: connect daemon install',
  ])
})

test('a copy in pnpm’s store that its dlx has run is refused, and one that npx runs from a folder is not', () => {
  const layout = new Layout()
  layout.node('/usr/bin/node', 'this one')
  const stored = `${PNPM}/store/v11/links/@/private-connect/0.1.0/61976/${PACKAGE}`
  const dlx = `${HOME}/.cache/pnpm/dlx/${HASH}/pkg/${PACKAGE}`
  layout.script(stored, '0.1.0')
  layout.link(up(2)(dlx), up(2)(stored))
  const options = { execPath: '/usr/bin/node', script: stored }
  expect(thrownBy(() => layout.resolve({ ...options, invokedAs: dlx })).code).toBe('RUN_FROM_CACHE')
  const own = `${HOME}/private-connect/bin/run.js`
  layout.script(own, '0.1.0')
  const npx = `${HOME}/.npm/_npx/61976/node_modules/.bin/connect`
  layout.link(npx, own)
  expect(layout.resolve({ execPath: '/usr/bin/node', script: own, invokedAs: npx }).script).toBe(own)
})

test('the program itself runs by what is found for it, also through a link', async () => {
  const link = path.join(scratchFolder(), 'connect')
  symlinkSync(runJs, link)
  const { node, script } = resolveExecutable({
    execPath: process.execPath,
    invokedAs: process.argv[1],
    script: runJs,
    home: '/nowhere',
    env: process.env,
  })
  for (const program of [script, link]) {
    const child = runProgram([node, program, '--version'], { cwd: '/', env: {} })
    expect(await child.exited).toEqual({ code: 0, signal: null })
    expect(child.stdout).toMatch(/^private-connect\/\d+\.\d+\.\d+/)
  }
  expect(script).toBe(path.join(root, 'bin', 'run.js'))
})
