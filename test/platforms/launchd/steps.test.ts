import { existsSync } from 'node:fs'
import { afterEach, describe, expect, test } from 'vitest'
import { announceProcess } from '../../../src/control/started-process.ts'
import { identify } from '../../../src/process/identity.ts'
import { FAKE_RUNS_HERE } from '../../helpers/launchctl/fake.ts'
import type { Switches } from '../../helpers/launchctl/switches.ts'
import { stepsTaken } from '../../fixtures/steps-taken.ts'
import { Rig } from './helpers/rig.ts'

let rig: Rig

async function installed(switches: Partial<Switches> = {}): Promise<number> {
  rig = await Rig.start(switches)
  const { pid } = await rig.platform().install(rig.daemon(), rig.options)
  await announceProcess(rig.instance, pid, rig.daemon().command)
  return pid
}

afterEach(async () => {
  await rig.platform().uninstall()
  await rig.close()
})

const LOOK = 'Look at what launchd has'
const STOP = [
  'Ask launchd to stop',
  'Wait for its result (clean, or killed after 0.5 s)',
  'Verify that it is gone',
  'Remove the PID file',
]
const WRITE = 'Write the plist'
const START = ['Ask launchd to start it', 'Wait up to 1 s for it to stabilise', 'Verify that it still runs']
const done = (...titles: string[]) => titles.map((title) => `${title}: done`)
const skipped = (reason: string, ...titles: string[]) => titles.map((it) => `${it}: skipped (${reason})`)

describe.runIf(FAKE_RUNS_HERE)('launchd, or a stand-in for it (Linux only)', () => {
  test('is told in true steps to install, once more, to stop, and to remove it', async () => {
    rig = await Rig.start()
    const install = () => stepsTaken(rig.inSteps().install(rig.daemon(), rig.options))
    const absent = skipped('launchd does not have it', ...STOP.slice(0, 3))
    const first = await install()
    expect(first.taken).toEqual([...done(LOOK), ...absent, ...done(STOP[3]!, WRITE, ...START)])
    expect(first.result).toMatchObject({ change: 'created' })
    const runs = 'it runs by the plist that it should'
    expect((await install()).taken).toEqual([
      ...done(LOOK),
      ...skipped(runs, ...STOP),
      ...skipped('it is as it should be', WRITE),
      ...skipped('it runs', START[0]!),
      ...done(...START.slice(1)),
    ])
    expect(await stepsTaken(rig.inSteps().stop())).toEqual({ taken: done(...STOP), result: 'exited' })
    expect(await stepsTaken(rig.inSteps().stop())).toEqual({
      taken: [...absent, ...done(STOP[3]!)],
      result: undefined,
    })
    const removal = await stepsTaken(rig.inSteps().uninstall())
    expect(removal.taken).toEqual([...done(LOOK), ...absent, ...done(STOP[3]!, 'Remove the plist')])
    expect((await stepsTaken(rig.inSteps().uninstall())).taken).toEqual([
      ...done(LOOK),
      ...skipped('it is not installed', ...STOP, 'Remove the plist'),
    ])
  })

  test('kills one that ignores SIGTERM, and its PID file goes too', async () => {
    rig = await Rig.start()
    rig.behave('stubborn')
    const { pid } = await rig.platform().install(rig.daemon(), rig.options)
    await announceProcess(rig.instance, pid, rig.daemon().command)
    expect(existsSync(rig.instance.pidFile)).toBe(true)
    expect(await stepsTaken(rig.inSteps().stop())).toEqual({ taken: done(...STOP), result: 'killed' })
    expect(identify(pid)).toBeUndefined()
    expect(existsSync(rig.instance.pidFile)).toBe(false)
  })

  test('restarts in place what runs by its plist, and loads what does not', async () => {
    await installed()
    const restart = (version: string) => stepsTaken(rig.inSteps().restart(rig.daemon(version), rig.options))
    const same = await restart('first')
    expect(same.taken).toEqual([
      ...done(LOOK, ...STOP),
      ...skipped('it is as it should be', WRITE),
      ...done(...START),
    ])
    expect(same.result).toMatchObject({ stopped: 'exited' })
    const changed = await restart('second')
    expect(changed.taken).toEqual(done(LOOK, ...STOP, WRITE, ...START))
    expect(changed.result).toMatchObject({ stopped: 'exited', updated: rig.names.file })
  })

  test('fails at the step that goes wrong: a stop that it does not follow, a daemon that ends', async () => {
    const pid = await installed({ lies: ['bootout'] })
    const stop = await stepsTaken(rig.inSteps().stop())
    expect(stop.taken).toEqual([...done(...STOP.slice(0, 2)), `${STOP[2]}: failed`])
    expect(stop.error).toMatchObject({ code: 'DAEMON_WONT_STOP' })
    expect(identify(pid)).toBeDefined()
    await rig.fake.set({ lies: [] })
    await rig.platform().stop()
    rig.behave('exit 3')
    const start = await stepsTaken(rig.inSteps().start(rig.daemon(), rig.options))
    expect(start.taken.slice(-3)).toEqual([...done(...START.slice(0, 2)), `${START[2]}: failed`])
    expect(start.error).toMatchObject({ code: 'DAEMON_FAILED' })
    rig.behave('good')
  })

  test('changes nothing where it can’t be looked at', async () => {
    rig = await Rig.start({ fails: { print: { code: 64, times: 1000 } } })
    const { taken, error } = await stepsTaken(rig.inSteps().install(rig.daemon(), rig.options))
    expect(taken).toEqual([`${LOOK}: failed`])
    expect(error).toMatchObject({ code: 'SERVICE_MANAGER_FAILED' })
    await rig.fake.set({ fails: {} })
  })
})
