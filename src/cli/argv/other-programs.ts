import { isServiceName } from '../../config/service-name.ts'

/** What is given to another program's word, as far as ours has a use for it. */
interface Given {
  /** The words behind it, options too. */
  readonly rest: readonly string[]
  /** `5432` or `db:5432`, the first that there is among them. */
  readonly target: string | undefined
  /** The first of them that could be a service's name. */
  readonly name: string | undefined
}

type Ours = string | ((given: Given) => string | undefined)

const expose: Ours = ({ target = 'PORT' }) => `expose ${target} --name NAME`
const reach: Ours = ({ name = 'NAME' }) => `reach ${name}`

/** `-L 15432:db:5432` of ssh: the local port is what comes first. */
const reachAtPort: Ours = ({ rest: [forward = ''] }) =>
  `reach NAME --port ${/^(\d{1,5}):/.exec(forward)?.[1] ?? 'PORT'}`

/** Of cloudflared: `access tcp --hostname db.example.com --url localhost:5432`. */
const access: Ours = ({ rest: [what], target }) =>
  what === 'ssh' ? 'ssh NAME' : `reach NAME${target ? ` --port ${portOf(target)}` : ''}`

/** Of cloudflared, too: `tunnel run` offers what was set up before, the others set it up. */
const tunnel: Ours = (given) => (given.rest[0] === 'run' ? 'daemon start' : expose(given))

/** What one might say of a hub as of the daemon, or of other things. */
const HUB_WORDS: Readonly<Record<string, string>> = {
  agents: 'hub agent list',
  down: 'hub stop',
  invite: 'hub token create --invite',
  run: 'hub',
  serve: 'hub',
  tokens: 'hub token list',
  up: 'hub start',
}

/** What systemd and pm2 call it. */
const KEPT_WORDS: Readonly<Record<string, string>> = {
  delete: 'uninstall',
  disable: 'uninstall',
  enable: 'install',
  kill: 'stop',
  reload: 'restart',
  remove: 'uninstall',
}

const ofHub: Ours = (given) =>
  Object.hasOwn(HUB_WORDS, wordOf(given)) ? HUB_WORDS[wordOf(given)] : kept('hub', given)

const ofDaemon: Ours = (given) => kept('daemon', given)

function kept(topic: string, given: Given): string | undefined {
  const word = wordOf(given)
  return Object.hasOwn(KEPT_WORDS, word) ? `${topic} ${KEPT_WORDS[word]!}` : undefined
}

function wordOf({ rest: [word = ''] }: Given): string {
  return word
}

/** What frp, cloudflared, ngrok, Tailscale, chisel, bore, localtunnel, pm2 and ssh call it. */
const OTHER_WORDS: Readonly<Record<string, Ours>> = {
  '--port': expose,
  '--url': expose,
  '-L': reachAtPort,
  '-R': expose,
  // frpc has a file of what to offer; ours is written by `expose`.
  '-c': expose,
  access,
  agent: 'hub agent list',
  authtoken: 'login',
  check: 'doctor',
  client: reach,
  connect: reach,
  daemon: ofDaemon,
  diag: 'doctor',
  diagnose: 'doctor',
  dial: reach,
  down: 'daemon stop',
  forward: reach,
  funnel: expose,
  http: expose,
  hub: ofHub,
  info: 'status',
  init: 'status',
  install: 'daemon install',
  invite: 'hub token create --invite',
  ip: 'whoami',
  join: 'login',
  list: 'services',
  local: expose,
  log: 'daemon logs',
  logs: 'daemon logs',
  ls: 'services',
  netcheck: 'doctor',
  open: reach,
  ping: 'services',
  ps: 'status',
  publish: expose,
  restart: 'daemon restart',
  save: 'daemon install',
  serve: expose,
  server: 'hub',
  setup: 'status',
  share: expose,
  start: 'daemon start',
  startup: 'daemon install',
  stop: 'daemon stop',
  tcp: expose,
  token: 'hub token create',
  tunnel,
  uninstall: 'daemon uninstall',
  unstartup: 'daemon uninstall',
  version: '--version',
}

/**
 * What one means who types another program's words, with their own port or name put in.
 *
 * @returns undefined if the first of them is no such word
 */
export function ourWordsFor(typed: readonly string[]): string | undefined {
  const [first = '', ...rest] = typed.flatMap(splitOption)
  const ours = Object.hasOwn(OTHER_WORDS, first) ? OTHER_WORDS[first]! : undefined
  if (typeof ours !== 'function') return ours
  const targets = rest.map(targetOf)
  const target = targets.find((one) => one !== undefined)
  return ours({
    rest,
    target,
    name: rest.find((word, at) => targets[at] === undefined && isServiceName(word)),
  })
}

/** `--port=80` and `-R80:db:80` in two. */
function splitOption(word: string): string[] {
  const [, option, value] = /^(--[\w-]+(?==)|-[LR](?=\d))=?(.+)$/.exec(word) ?? []
  return option === undefined ? [word] : [option, value!]
}

/** Of `80`, `db:80`, `http://db:80/path`, and of ssh's `8080:db:80`, what is dialled. */
function targetOf(word: string): string | undefined {
  const address = word.replace(/^(?:https?|tcp):\/\//, '').replace(/\/.*$/, '')
  const [port = '', host = ''] = address.split(':').toReversed()
  if (!/^\d{1,5}$/.test(port) || Number(port) < 1 || Number(port) > 65_535) return undefined
  return /^[a-z][\w.-]*$/i.test(host) || /^\d+(?:\.\d+){3}$/.test(host) ? `${host}:${port}` : port
}

function portOf(target: string): string {
  return target.slice(target.indexOf(':') + 1)
}
