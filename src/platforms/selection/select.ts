import { wordsOf } from '../../config/kind.ts'
import { ERRORS } from '../../error-codes.ts'
import { ConnectError } from '../../errors.ts'
import { uninstallCommand, type PluginProblem } from '../../plugins/plugin-problem.ts'
import { background } from '../background/description.ts'
import { launchd } from '../launchd/description.ts'
import type { PlatformContext, PlatformDescription } from '../platform.ts'
import { systemd } from '../systemd/description.ts'
import { knownPlatforms, type Brought, type KnownPlatform } from './known-platforms.ts'

/** The platform that was picked, and what is to be told about that. */
export interface Selection {
  readonly description: PlatformDescription
  /** Why each of the others was not picked, for `install`. */
  readonly reasons: readonly string[]
  /** Of plugins that did not answer properly. */
  readonly problems: readonly PluginProblem[]
}

export interface SelectOptions {
  readonly context: PlatformContext
  /** `install` wants a platform that can be installed into; anything else the one that is in use. */
  readonly purpose: 'install' | 'use'
  /** The value of --platform; it comes before CONNECT_PLATFORM. */
  readonly named?: string | undefined
  /** What plugins bring, and which failed. */
  readonly plugins: () => Promise<Brought>
  /** See knownPlatforms. */
  readonly pluginTimeoutMs?: number
}

export const BUILT_IN: readonly PlatformDescription[] = [launchd, systemd, background]

/**
 * The operating system that a platform belongs to; on others it is taken only if CONNECT_PLATFORM names it.
 */
const SYSTEM_OF: Readonly<Record<string, NodeJS.Platform>> = { launchd: 'darwin', systemd: 'linux' }

/**
 * Picks the platform: the one that is named, by --platform or CONNECT_PLATFORM, else one on which this
 * instance is installed, else for `install` the first whose probe succeeds, else background.
 *
 * @throws ConnectError PLATFORM_UNKNOWN, PLATFORM_UNSUPPORTED, PLATFORM_AMBIGUOUS, INSTALLED_ELSEWHERE
 */
export async function selectPlatform(options: SelectOptions): Promise<Selection> {
  const { context, purpose, plugins, pluginTimeoutMs } = options
  if (process.platform === 'win32') {
    const { kept, foreground } = wordsOf(context.instance)
    throw new ConnectError('PLATFORM_UNSUPPORTED', `The ${kept} is not currently supported on Windows`, {
      hints: [`Not currently supported (use foreground mode: ${foreground})`],
    })
  }
  const { known, problems } = knownPlatforms(BUILT_IN, await plugins(), pluginTimeoutMs)
  const picked = ({ description }: KnownPlatform, reasons: string[] = []) => ({
    description,
    reasons,
    problems: [...problems],
  })
  const candidates = known.filter(
    ({ description: { name } }) => (SYSTEM_OF[name] ?? process.platform) === process.platform,
  )

  const named = options.named ?? (context.env.CONNECT_PLATFORM || undefined)
  if (named !== undefined) {
    const platform = known.find(({ description }) => description.name === named)
    if (!platform) throw unknown(named, candidates)
    if (platform.rivals.length > 0) throw ambiguous(platform)
    if (purpose === 'install') {
      if (options.named === background.name) throw notInstallable(context)
      await refuseSecond(platform, candidates, context)
    }
    return picked(platform)
  }
  for (const platform of candidates)
    if (await isInstalled(platform, context)) return picked(unambiguous(platform))
  const reasons: string[] = []
  if (purpose === 'install') {
    for (const platform of candidates) {
      const { description } = platform
      const probe = await description.probe(context)
      if (probe.available) return picked(unambiguous(platform))
      if (description !== background) reasons.push(`${description.name}: ${probe.reason}`)
    }
  }
  return picked(
    known.find(({ description }) => description === background)!,
    reasons,
  )
}

/** Of two plugins that bring a platform of one name either may be the one that is in use. */
export async function isInstalled(
  { description, plugin, rivals }: KnownPlatform,
  context: PlatformContext,
): Promise<boolean> {
  if (await description.isInstalled(context)) return true
  if (plugin === undefined) return false
  for (const rival of rivals) if (await rival.description.isInstalled(context)) return true
  return false
}

/** A built-in one keeps its name, unless it is asked for by that. */
function unambiguous(platform: KnownPlatform): KnownPlatform {
  if (platform.plugin !== undefined && platform.rivals.length > 0) throw ambiguous(platform)
  return platform
}

function ambiguous({ description: { name }, plugin, rivals }: KnownPlatform): ConnectError {
  const others = rivals.map((rival) => rival.plugin)
  const message =
    plugin === undefined
      ? `Two platforms are called "${name}": one is built in, one comes from the plugin ${others.join(', ')}`
      : `Two platforms are called "${name}": they come from the plugins ${[plugin, ...others].join(' and ')}`
  return new ConnectError('PLATFORM_AMBIGUOUS', message, {
    hints: [`Remove one of the plugins: ${uninstallCommand(others[0]!)}`],
  })
}

function unknown(name: string, candidates: readonly KnownPlatform[]): ConnectError {
  const names = candidates.map(({ description, plugin }) =>
    plugin === undefined ? description.name : `${description.name} (of the plugin ${plugin})`,
  )
  return new ConnectError('PLATFORM_UNKNOWN', `There is no platform "${name}"`, {
    hints: [`Here there are: ${names.join(', ')}`, ERRORS.PLATFORM_UNKNOWN.fix],
  })
}

/** Two service managers would start two of it, of which one always ends. */
async function refuseSecond(
  wanted: KnownPlatform,
  candidates: readonly KnownPlatform[],
  context: PlatformContext,
): Promise<void> {
  const { kept, command } = wordsOf(context.instance)
  for (const other of candidates) {
    if (other === wanted || !(await isInstalled(other, context))) continue
    const { name } = other.description
    throw new ConnectError('INSTALLED_ELSEWHERE', `The ${kept} is installed already, in ${name}`, {
      hints: [`Remove it from there first: ${command} uninstall`],
    })
  }
}

function notInstallable({ instance }: PlatformContext): ConnectError {
  const message = 'The platform background has nothing to install into: it is a plain process'
  return new ConnectError('INSTALL_UNSUPPORTED', message, {
    hints: [`Start it: ${wordsOf(instance).command} start`],
  })
}
