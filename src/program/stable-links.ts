import path from 'node:path'

/** A package manager's layout: the file itself, and the links to it that stay when another version comes. */
interface Layout {
  readonly file: RegExp
  readonly links: readonly string[]
}

/** Links that the package manager moves by itself when it upgrades what they lead to; the best one first. */
const UPGRADED: readonly Layout[] = [
  // Homebrew: https://docs.brew.sh/Formula-Cookbook (opt_prefix)
  { file: /^(.*)\/Cellar\/([^/]+)\/[^/]+\/(.*)$/, links: ['$1/opt/$2/$3'] },
  // mise: src/runtime_symlinks.rs of jdx/mise. For Node.js the line that was chosen, for a tool
  // its newest version.
  {
    file: /^(.*)\/installs\/node\/(\d+)\.[^/]+\/(.*)$/,
    links: ['$1/installs/node/$2/$3', '$1/installs/node/latest/$3', '$1/installs/node/lts/$3'],
  },
  { file: /^(.*)\/installs\/(npm-[^/]+)\/[^/]+\/(.*)$/, links: ['$1/installs/$2/latest/$3'] },
  // https://snapcraft.io/docs/system-snap-directory
  { file: /^(.*\/snap\/[^/]+)\/x?\d+\/(.*)$/, links: ['$1/current/$2'] },
  // pnpm to version 10, and npm with install-strategy=linked: what a version is added to, and removed from.
  {
    file: /^(.*?)(?:\/node_modules)?\/\.(?:pnpm|store)\/[^/]+\/node_modules\/(.*)$/,
    links: ['$1/node_modules/$2'],
  },
  // https://nix.dev/manual/nix/latest/command-ref/files/profiles, and home-manager as a module of NixOS
  {
    file: /^\/nix\/store\/[^/]+\/(.*)$/,
    links: [
      '/run/current-system/sw/$1',
      '/etc/profiles/per-user/{user}/$1',
      '{home}/.nix-profile/$1',
      '{home}/.local/state/nix/profile/$1',
      '/nix/var/nix/profiles/default/$1',
    ],
  },
  // https://guix.gnu.org/manual/en/html_node/Invoking-guix-package.html
  {
    file: /^\/gnu\/store\/[^/]+\/(.*)$/,
    links: ['/run/current-system/profile/$1', '{home}/.guix-profile/$1', '{home}/.guix-home/profile/$1'],
  },
]

/** Links that lead to the version which the user has chosen last, an older one perhaps. */
const CHOSEN: readonly Layout[] = [
  // fnm: src/config.rs and src/fs.rs of Schniz/fnm
  { file: /^(.*)\/node-versions\/[^/]+\/installation\/(.*)$/, links: ['$1/aliases/default/$2'] },
  // nvm, with NVM_SYMLINK_CURRENT: each `nvm use` in any shell moves it (nvm.sh, and nvm-sh/nvm#355)
  { file: /^(.*)\/versions\/node\/v[^/]+\/(.*)$/, links: ['$1/current/$2'] },
]

export interface User {
  readonly home: string
  readonly user: string | undefined
}

/** The links that there may be to a file, by where it lies, and that are moved with its upgrades. */
export function upgradedLinks(file: string, person: User): string[] {
  return linksOf(UPGRADED, file, person)
}

/**
 * The links that there may be to a file, by where it lies, and that are moved when the user
 * chooses a version.
 */
export function chosenLinks(file: string, person: User): string[] {
  return linksOf(CHOSEN, file, person)
}

function linksOf(layouts: readonly Layout[], file: string, { home, user }: User): string[] {
  return layouts
    .filter((layout) => layout.file.test(file))
    .flatMap((layout) => layout.links.map((link) => file.replace(layout.file, link)))
    .filter((link) => user !== undefined || !link.includes('{user}'))
    .map((link) => link.replace('{home}', () => home).replace('{user}', () => user ?? ''))
}

/**
 * Whether a path has the number of a version in it, below the home folder if it lies
 * there: `v22.1.0`, `node-22`.
 */
export function isVersioned(file: string, home: string): boolean {
  const inHome = file.startsWith(home + path.sep) ? file.slice(home.length) : file
  return inHome.split(path.sep).some((name) => /\d\.\d|^node(?:js)?-?v?\d+$/.test(name))
}

const TEMPORARY = /^(?:\/private)?\/(?:tmp|var\/tmp|var\/folders|dev\/shm|run\/user)\/|\/fnm_multishells\//

/** Whether a path goes through a folder that is gone with a shell, a login or the next boot. */
export function isTemporary(file: string): boolean {
  return TEMPORARY.test(file)
}

/** Whether a path goes through a link that is moved when the user chooses another version. */
export function isChosen(file: string): boolean {
  return /\/(?:\.?nvm\/current|\.?fnm\/aliases\/[^/]+)\//.test(file)
}

/** Where the tools that run a package without installing it keep it for the while. */
const CACHES: readonly [RegExp, string][] = [
  [/\/_npx\//, 'npx'],
  // bun: src/cli/bunx_command.zig of oven-sh/bun
  [/\/bunx-\d+-/, 'bunx'],
  // `dlx-PID` of Yarn and of pnpm to version 8, then pnpm's `dlx/HASH`
  [/\/dlx-\d+\/|\/dlx\/[0-9a-z]{20,}[-/]/, 'dlx'],
  // Yarn's Plug'n'Play runs it from inside an archive, which no other program can read.
  [/\.zip\//, 'Yarn'],
]

/** @returns whose cache a path lies in, if it does */
export function cacheOf(file: string): string | undefined {
  return CACHES.find(([pattern]) => pattern.test(file))?.[1]
}
