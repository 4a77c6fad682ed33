import { sep } from 'node:path'
import { identify } from '../../process/identity.ts'
import type { Check } from './check.ts'
import { demand, demandIs } from './demand.ts'
import { contentsOf } from './folder-contents.ts'
import type { Scene } from './scene.ts'
import type { Subject } from './subject.ts'

export const installChecks: readonly Check[] = [
  {
    title: 'install() twice leaves one daemon, installed and connected',
    async prove(scene) {
      const subject = await scene.subject()
      await installed(scene, subject, 'install()')
      await installed(scene, subject, 'a second install()')
    },
  },
  {
    title: 'uninstall() leaves no process and no file, and says whether there was anything to remove',
    async prove(scene) {
      const subject = await scene.subject()
      const before = contentsOf(scene.watched)
      const pid = await subject.bringUp()
      const removed = await subject.platform.uninstall()
      demand(removed !== undefined, 'uninstall() must say what it removed')
      demand(identify(pid) === undefined, 'uninstall() must return after the process is gone', { pid })
      const status = await subject.stopped('after uninstall()')
      demandIs(status.installed, false, 'status() must say installed: false after uninstall()', status)
      demandIs(status.startsAt, 'never', 'status() must say startsAt: never after uninstall()', status)
      const isInstalled = await scene.options.description.isInstalled(subject.context)
      demandIs(isInstalled, false, 'isInstalled() must be false after uninstall()')
      const { folder } = subject.instance
      const left = [...contentsOf(scene.watched).keys()].filter(
        (file) => !before.has(file) && !file.startsWith(`${folder}${sep}`),
      )
      demandIs(left.length, 0, 'uninstall() must leave no file behind', left)
      const again = await subject.platform.uninstall()
      demandIs(again, undefined, 'uninstall() must return undefined when nothing is left to remove')
    },
  },
  {
    title: 'uninstall() of a daemon that was stopped removes it too',
    async prove(scene) {
      const subject = await scene.subject()
      await subject.bringUp()
      await subject.platform.stop()
      const removed = await subject.platform.uninstall()
      demand(removed !== undefined, 'uninstall() must say what it removed')
      const isInstalled = await scene.options.description.isInstalled(subject.context)
      demandIs(isInstalled, false, 'isInstalled() must be false after uninstall()')
    },
  },
]

async function installed(scene: Scene, subject: Subject, by: string): Promise<void> {
  const former = subject.recordedPid()
  await subject.install()
  const atOnce = await subject.platform.status()
  demandIs(atOnce.state, 'running', `${by} must return once the daemon runs`, atOnce)
  const isInstalled = await scene.options.description.isInstalled(subject.context)
  demandIs(isInstalled, true, `isInstalled() must be true after ${by}`)
  const pid = await subject.connected(`The agent must be connected after ${by}`)
  const status = await subject.runningAs(pid, `after ${by}`)
  demandIs(status.installed, true, `status() must say installed: true after ${by}`, status)
  demand(status.startsAt !== 'never', `status() must say startsAt: boot or login after ${by}`, status)
  if (former === undefined || former === pid) return
  demand(identify(former) === undefined, `${by} must leave one daemon`, { former, pid })
}
