import { mkdirSync } from 'node:fs'
import { codeOf } from '../../errors.ts'
import type { Check } from './check.ts'
import { demand, demandIs, demandRejection } from './demand.ts'
import { contentsOf, differences } from './folder-contents.ts'

/** What a platform says of itself, and of a home folder in which nothing has happened yet. */
export const emptyChecks: readonly Check[] = [
  {
    title: 'the description has a version, a name, a summary and its three functions',
    async prove({ options: { description } }) {
      const { apiVersion, name, summary } = description
      demand([1, 2].includes(apiVersion), 'apiVersion must be 1 or 2', apiVersion)
      demand(/^[a-z][a-z0-9-]*$/.test(name), 'name must be of a-z, 0-9 and -, and begin with a letter', name)
      demand(typeof summary === 'string' && summary.trim() !== '', 'summary must be a text', summary)
      for (const method of ['probe', 'isInstalled', 'load'] as const) {
        demandIs(typeof description[method], 'function', `${method} must be a function`)
      }
    },
  },
  {
    title: 'probe() says whether the daemon can be installed here, and if not, why',
    async prove(scene) {
      const { context } = await scene.subject({ joined: false })
      const probe = await scene.options.description.probe(context)
      demand(
        probe.available === scene.installable,
        `probe() must say available: ${scene.installable}, as the suite was told`,
        probe,
      )
      if (probe.available) return
      const { reason } = probe
      demand(typeof reason === 'string' && reason.trim() !== '', 'probe() must give a reason', probe)
    },
  },
  {
    title: 'in an empty home nothing is installed, nothing runs, and looking changes nothing',
    async prove(scene) {
      const { context, instance, platform } = await scene.subject({ joined: false })
      const before = contentsOf(scene.watched)
      const isInstalled = await scene.options.description.isInstalled(context)
      demandIs(isInstalled, false, 'isInstalled() must be false')
      const status = await platform.status()
      demandIs(status.state, 'stopped', 'status() must say stopped', status)
      demandIs(status.installed, false, 'status() must say installed: false', status)
      demandIs(status.startsAt, 'never', 'status() must say startsAt: never', status)
      demandIs(status.pid, undefined, 'status() must name no process', status)
      demand(!status.cleanedUp, 'status() must not say that it cleaned up where there was nothing', status)
      const changed = differences(before, contentsOf(scene.watched))
      demandIs(changed.length, 0, 'isInstalled() and status() must change nothing on disk', changed)
      mkdirSync(instance.folder, { recursive: true, mode: 0o700 })
      const stopped = await platform.stop()
      demandIs(stopped, undefined, 'stop() must return undefined where nothing runs')
      const removed = await platform.uninstall()
      demandIs(removed, undefined, 'uninstall() must return undefined where nothing is installed')
    },
  },
]

/** What one that cannot be installed into answers. */
export const notInstallableChecks: readonly Check[] = [
  {
    title: 'install() fails with INSTALL_UNSUPPORTED, and leaves nothing behind',
    async prove(scene) {
      const subject = await scene.subject()
      const before = contentsOf(scene.watched)
      const error = await demandRejection('install() must fail', subject.install())
      demand(codeOf(error) === 'INSTALL_UNSUPPORTED', 'install() must fail with INSTALL_UNSUPPORTED', error)
      const changed = differences(before, contentsOf(scene.watched))
      demandIs(changed.length, 0, 'install() must leave nothing behind', changed)
    },
  },
]
