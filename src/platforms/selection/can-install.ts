import { ConnectError } from '../../errors.ts'
import { withDeadline } from '../../runtime/deadline.ts'
import { background } from '../background/description.ts'
import type { PlatformContext } from '../platform.ts'
import { knownPlatforms, type Brought } from './known-platforms.ts'
import { BUILT_IN, isInstalled, selectPlatform } from './select.ts'

/** How long all that could keep a daemon or hub is waited for, in ms: somebody waits for a hint. */
const PATIENCE_MS = 2000

/**
 * Whether an install would find what keeps the daemon or hub, or is done already. Plugins, which most who ask
 * have not loaded, are asked only where nothing built in can.
 *
 * @param patienceMs default 2000
 * @returns undefined if that is not known: one that might keep it has failed, or does not answer in time
 */
export async function canInstall(
  context: PlatformContext,
  plugins: () => Promise<Brought>,
  patienceMs = PATIENCE_MS,
): Promise<boolean | undefined> {
  const tooLate = new Error('no answer in time')
  try {
    return await withDeadline(
      () => ask(context, plugins),
      patienceMs,
      () => tooLate,
    )
  } catch (error) {
    if (error === tooLate) return undefined
    // What is in the way of every platform, the install says better than anything here.
    if (error instanceof ConnectError) return true
    throw error
  }
}

async function ask(context: PlatformContext, plugins: () => Promise<Brought>): Promise<boolean | undefined> {
  // One that is named may be a plugin's.
  const isNamed = Boolean(context.env.CONNECT_PLATFORM)
  const from = isNamed ? plugins : async () => NO_PLUGINS
  const { description } = await selectPlatform({ context, purpose: 'install', plugins: from })
  if (description !== background) return true
  return isNamed ? false : canPlugins(context, await plugins())
}

const NO_PLUGINS: Brought = { platforms: [], problems: [] }

/** All are asked at once: one that hangs must not be in the way of another that can. */
async function canPlugins(context: PlatformContext, brought: Brought): Promise<boolean | undefined> {
  const { known, problems } = knownPlatforms(BUILT_IN, brought)
  const answers = known
    .filter(({ plugin }) => plugin !== undefined)
    .flatMap((platform) => [
      isInstalled(platform, context),
      platform.description.probe(context).then(({ available }) => available),
    ])
  if (await isAny(answers)) return true
  return problems.length > 0 ? undefined : false
}

/** Whether one of them is true, as soon as that is known. */
function isAny(answers: readonly Promise<boolean>[]): Promise<boolean> {
  const { promise, resolve, reject } = Promise.withResolvers<boolean>()
  const each = answers.map(async (answer) => {
    if (await answer) resolve(true)
  })
  Promise.all(each).then(() => resolve(false), reject)
  return promise
}
