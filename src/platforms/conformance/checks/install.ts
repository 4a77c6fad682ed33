import { sep } from 'node:path'
import { codeOf } from '../../../errors.ts'
import { dataFolder } from '../../../config/instance.ts'
import { identify } from '../../../process/identity.ts'
import { assert, assertEqual, assertRejects } from '../harness/assert.ts'
import { contentsOf } from '../harness/folder-contents.ts'
import type { Sandbox } from '../harness/sandbox.ts'
import type { TestInstance } from '../harness/test-instance.ts'
import type { Check } from './check.ts'
import { comesBack } from './crash.ts'
import { CRASH_STABLE_MS, runsAsTold } from './start.ts'

export const installChecks: readonly Check[] = [
  {
    title: 'install() twice leaves one daemon, installed and connected',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      await installed(sandbox, tested, 'install()')
      await installed(sandbox, tested, 'a second install()')
    },
  },
  {
    title: 'uninstall() leaves no process and no file, and says whether there was anything to remove',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const before = contentsOf(sandbox.watched)
      const pid = await tested.bringUp()
      const removed = await tested.platform.uninstall()
      assert(removed !== undefined, 'uninstall() must say what it removed')
      assert(identify(pid) === undefined, 'uninstall() must return after the process is gone', { pid })
      const status = await tested.stopped('after uninstall()')
      assertEqual(status.installed, false, 'status() must say installed: false after uninstall()', status)
      assertEqual(status.autostart, 'never', 'status() must say autostart: never after uninstall()', status)
      const isInstalled = await sandbox.options.description.isInstalled(tested.context)
      assertEqual(isInstalled, false, 'isInstalled() must be false after uninstall()')
      const folder = dataFolder(sandbox.home)
      const left = [...contentsOf(sandbox.watched).keys()].filter(
        (file) => !before.has(file) && !file.startsWith(`${folder}${sep}`),
      )
      assertEqual(left.length, 0, 'uninstall() must leave no file behind', left)
      const again = await tested.platform.uninstall()
      assertEqual(again, undefined, 'uninstall() must return undefined when nothing is left to remove')
    },
  },
  {
    title: 'uninstall() of a daemon that was stopped removes it too',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      await tested.bringUp()
      await tested.platform.stop()
      const removed = await tested.platform.uninstall()
      assert(removed !== undefined, 'uninstall() must say what it removed')
      const isInstalled = await sandbox.options.description.isInstalled(tested.context)
      assertEqual(isInstalled, false, 'isInstalled() must be false after uninstall()')
    },
  },
  {
    title: 'install() that fails leaves what was installed before, and that runs again if it ran',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      await tested.bringUp()
      await failsToInstall(sandbox, tested)
      const pid = await tested.connected('What ran before a failed install() must run again')
      await runsAsTold(tested, pid)
      const { installed: isInstalled } = await tested.runningAs(pid, 'after a failed install()')
      assertEqual(isInstalled, true, 'status() must say installed: true after a failed install()')
      // Not only the process is that of before: so is what it is started by.
      const next = await comesBack(tested, pid, sandbox.options.restartWithinMs)
      await runsAsTold(tested, next.pid)
      await tested.platform.stop()
      await failsToInstall(sandbox, tested)
      await tested.stopped('after a failed install() of a daemon that was stopped')
      await tested.start(tested.daemon())
      await runsAsTold(tested, await tested.connected())
    },
  },
]

/** Has one installed that ends at once. */
async function failsToInstall(sandbox: Sandbox, tested: TestInstance): Promise<void> {
  const fakeAgent = sandbox.fakeAgent()
  fakeAgent.behave({ exit: 1 })
  const daemon = tested.daemon({ program: fakeAgent.program })
  const promise = 'install() must fail when the daemon exits with code 1'
  const error = await assertRejects(promise, tested.install(daemon, CRASH_STABLE_MS))
  assert(codeOf(error) === 'DAEMON_FAILED', 'install() must fail with the code DAEMON_FAILED', error)
}

async function installed(sandbox: Sandbox, tested: TestInstance, by: string): Promise<void> {
  const former = tested.recordedPid()
  const { autostart } = await tested.install()
  const atOnce = await tested.platform.status()
  assertEqual(atOnce.state, 'running', `${by} must return once the daemon runs`, atOnce)
  const isInstalled = await sandbox.options.description.isInstalled(tested.context)
  assertEqual(isInstalled, true, `isInstalled() must be true after ${by}`)
  const pid = await tested.connected(`The agent must be connected after ${by}`)
  const status = await tested.runningAs(pid, `after ${by}`)
  assertEqual(status.installed, true, `status() must say installed: true after ${by}`, status)
  assert(
    status.autostart !== 'never',
    `status() must say autostart: boot, login or manager after ${by}`,
    status,
  )
  assertEqual(autostart, status.autostart, `${by} and status() must say the same of autostart`, status)
  if (former === undefined || former === pid) return
  assert(identify(former) === undefined, `${by} must leave one daemon`, { former, pid })
}
