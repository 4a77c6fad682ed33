import type { Scene } from './scenes.ts'

export const CODES = ['ENOSPC', 'EMFILE', 'ENFILE', 'EIO', 'EPIPE', 'EAGAIN', 'EBUSY', 'ENOMEM'] as const

/** How often it is asked until all works again. */
const RECOVERY = 40

/** What a user must never see. */
export const BUG = /Unexpected error|[Bb]ug (in|while)|^\s+at \S+ \(/m

export interface Trials {
  /** How many calls have failed. */
  readonly count: number
  /** Those that were called in each trial; others come now and then, by a timer. */
  readonly functions: string[]
  /** What went wrong, a line for each. */
  readonly wrong: string[]
}

/**
 * Has each call fail that a data command makes while it is asked for all that it does: the first of each
 * function with every error, then the second, and so on, until there are no more, with the errors in turn.
 *
 * @param options.most the highest number of a call; default all
 */
export async function faultsOf(
  start: () => Promise<Scene>,
  options: { codes?: readonly string[]; most?: number } = {},
): Promise<Trials> {
  const { codes = CODES, most = Number.POSITIVE_INFINITY } = options
  let scene = await start()
  const wrong: string[] = []
  let count = 0
  const functions: string[] = []
  /** @returns whether the call came */
  const attempt = async (name: string, nth: number, code: string): Promise<boolean> => {
    const { failed, why } = await trial(scene, { name, nth, code })
    if (failed) count++
    if (why === undefined) return failed
    wrong.push(`${name} ${nth} ${code}: ${why}`)
    await scene.stop()
    scene = await start()
    return failed
  }
  try {
    for (const name of await functionsOf(scene)) {
      const isMet = []
      for (const code of codes) isMet.push(await attempt(name, 1, code))
      if (!isMet.includes(false)) functions.push(name)
      for (let nth = 2; nth <= most; nth++) {
        if (!(await attempt(name, nth, codes[nth % codes.length]!))) break
      }
    }
  } finally {
    await scene.stop()
  }
  return { count, functions, wrong }
}

/** All that it calls, in a second round: what is only called once is over by then. */
async function functionsOf(scene: Scene): Promise<string[]> {
  await scene.held()
  await scene.ask()
  await scene.command.order()
  await scene.held()
  const refused = await scene.ask()
  if (refused.length > 0) throw new Error(`without any fault: ${refused.join(', ')}\n${scene.command.output}`)
  const report = await scene.command.order()
  return Object.keys(report!.calls).toSorted()
}

async function trial(
  scene: Scene,
  order: { name: string; nth: number; code: string },
): Promise<{ failed: boolean; why?: string }> {
  const { command } = scene
  command.output = ''
  try {
    await command.order(order)
    let refused = await scene.ask()
    const report = await command.order()
    if (!report) return { failed: true, why: `it ended with ${command.end}:\n${command.output}` }
    for (let tries = 1; refused.length > 0 && tries < RECOVERY; tries++) refused = await scene.ask()
    if (!command.isAlive) return { failed: true, why: `it ended with ${command.end}:\n${command.output}` }
    if (refused.length > 0) return { failed: true, why: `it never recovered: ${refused.join(', ')}` }
    if (BUG.test(command.output)) return { failed: true, why: command.output }
    if (!(await scene.held())) {
      // That may be the very connection that failed.
      if (order.name !== 'net.write') return { failed: true, why: 'the connection that was there is gone' }
      await scene.holdAnew()
      if (!(await scene.held())) return { failed: true, why: 'no connection can be held' }
    }
    return { failed: report.failed }
  } catch (error) {
    return { failed: true, why: `${String(error)}\n${command.output}` }
  }
}
