import { performance } from 'node:perf_hooks'
import { styleText } from 'node:util'
import { messageOf } from '../../src/errors.ts'
import { Stage } from './stage.ts'

/** The longest that the demo may take, in ms. */
const TIMEOUT_MS = 120_000

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Plays a story to its end, or to Ctrl-C; either way nothing stays behind. Doesn't return. */
export async function play(title: string, story: (stage: Stage) => Promise<void>): Promise<never> {
  const start = performance.now()
  const stage = new Stage()
  console.log(styleText('bold', `\n${title}\n`))
  console.log('All of this happens for real, in temporary home folders; yours is not touched.')

  const { promise: stopped, resolve, reject } = Promise.withResolvers<NodeJS.Signals>()
  for (const signal of SIGNALS) process.on(signal, resolve)
  setTimeout(() => reject(new Error(`It takes longer than ${TIMEOUT_MS / 1000} s.`)), TIMEOUT_MS)
  let failed = false
  const fail = (error: unknown) => {
    failed = true
    console.error(`\n[x] The demo failed. ${messageOf(error)}`)
  }
  const signal = await Promise.race([story(stage), stopped]).catch(fail)
  if (signal) console.log('\nStopped; clearing up …')
  const cleared = (await stage.clear().catch(fail)) ?? ''

  if (signal) {
    for (const each of SIGNALS) process.off(each, resolve)
    process.kill(process.pid, signal)
  }
  if (failed) process.exit(1)
  const seconds = ((performance.now() - start) / 1000).toFixed(1)
  console.log(`\n${styleText('bold', `Done in ${seconds} s`)}, each step checked. Gone again: ${cleared}.\n`)
  process.exit(0)
}
