import { existsSync, statSync } from 'node:fs'
import { ConnectError } from '../errors.ts'
import { givenPath } from '../files/given-path.ts'
import { belongsToUs } from '../files/trust.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { tilde } from '../text/tilde.ts'
import type { ListedPlugin } from './plugin-list.ts'

/** Where a plugin comes from, as npm is told. */
export interface PluginSource {
  readonly spec: string
  /** For people. */
  readonly shown: string
  /** Of one that comes from a registry its name. */
  readonly name?: string
  /** The version, range or tag, `latest` if none was given. */
  readonly tag?: string
  /** Of any other: what to install it from again. */
  readonly url?: string
}

/** https://docs.npmjs.com/cli/v11/configuring-npm/package-json#name, for packages that are new. */
const NAME = /^(@[a-z0-9~][a-z0-9._~-]*\/)?[a-z0-9~][a-z0-9._~-]*$/

/** A version, a range or a tag: nothing that npm takes for another kind of source. */
const TAG = /^[\w.^~<>=*|+ -]+$/

const PATH = /^(file:|[./~\\]|[A-Za-z]:[\\/])|^(?!-|\w+:).*\.(tgz|tar\.gz)$/

const REPOSITORY = /^(https:|git\+https:|git\+ssh:|github:)[^\s]+$/

/**
 * A plugin's name in the registry (`name`, `name@1.2`), a folder or tarball (`./plugin`, `plugin.tgz`), or an
 * address of one or of a Git repository. Nothing that npm could take for an option.
 *
 * @throws ConnectError BAD_VALUE
 */
export function parsePluginSource(text: string): PluginSource {
  if (REPOSITORY.test(text)) return fromAddress(text)
  if (PATH.test(text)) return fromFile(givenPath(text.replace(/^file:/, '')))
  const [, name = '', tag = 'latest'] = /^(@?[^@]+)(?:@(.+))?$/.exec(text) ?? []
  if (NAME.test(name) && TAG.test(tag)) return { spec: `${name}@${tag}`, shown: name, name, tag }
  if (/^[a-z][a-z+]*:/.test(text))
    throw new ConnectError('BAD_VALUE', 'Plugins are not installed from such an address', {
      hints: [
        'What works: https:// for a tarball; git+https://, git+ssh:// or github:USER/REPOSITORY for a Git repository; a folder or a tarball here (./plugin).',
      ],
    })
  throw new ConnectError('BAD_VALUE', `"${text}" is no name of a plugin`, {
    hints: [
      existsSync(text) && !text.startsWith('-')
        ? `For a folder or a tarball: connect plugins install ${shellQuote(`./${text}`)}`
        : 'Give its name in the registry, the path of a folder or tarball (./plugin), or an address (https://, github:).',
    ],
  })
}

/** It is kept in a list, shown, and seen by whoever lists processes. */
function fromAddress(text: string): PluginSource {
  const { protocol, username = '', password = '' } = URL.parse(text) ?? {}
  // `git@` is no secret; what stands there for https most often is a token.
  if (password !== '' || (username !== '' && protocol !== 'git+ssh:'))
    throw new ConnectError('BAD_VALUE', 'The address of a plugin may hold no user name or password', {
      hints: ['Keep them where npm and git look for them: ~/.npmrc, or a credential helper of git.'],
    })
  return { spec: text, shown: text, url: text }
}

function fromFile(file: string): PluginSource {
  if (!existsSync(file)) throw new ConnectError('BAD_VALUE', `There is no ${tilde(file)}`, { hints: [] })
  return { spec: `file:${file}`, shown: tilde(file), url: `file:${file}` }
}

/**
 * What a listed plugin is installed from again.
 *
 * @throws ConnectError BAD_VALUE if that is gone, FILE_UNTRUSTED if it is another user's by now
 */
export function sourceOf({ name, tag, url }: ListedPlugin): PluginSource {
  const source = parsePluginSource(url ?? `${name}@${tag ?? 'latest'}`)
  const file = /^file:(.*)$/s.exec(source.spec)?.[1]
  if (file !== undefined) refuseForeign(file)
  return source
}

/** Nobody has named it just now: in /tmp it may be anybody’s since. */
function refuseForeign(file: string): void {
  const found = statSync(file)
  if (belongsToUs(found)) return
  throw new ConnectError('FILE_UNTRUSTED', `${file} belongs to another user (number ${found.uid})`, {
    hints: [`If what is in it is meant to be run: connect plugins install ${shellQuote(file)}`],
  })
}
