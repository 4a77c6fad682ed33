import { mkdirSync } from 'node:fs'
import { codeOf } from '../../../errors.ts'
import { assert, assertEqual, assertRejects } from '../harness/assert.ts'
import { contentsOf, differences } from '../harness/folder-contents.ts'
import type { Check } from './check.ts'

/** What a platform says of itself, and of a home folder in which nothing has happened yet. */
export const emptyChecks: readonly Check[] = [
  {
    title: 'the description has a version, a name, a summary and its three functions',
    async prove({ options: { description } }) {
      const { apiVersion, name, summary } = description
      assert([1, 2].includes(apiVersion), 'apiVersion must be 1 or 2', apiVersion)
      assert(/^[a-z][a-z0-9-]*$/.test(name), 'name must be of a-z, 0-9 and -, and begin with a letter', name)
      assert(typeof summary === 'string' && summary.trim() !== '', 'summary must be a text', summary)
      for (const method of ['probe', 'isInstalled', 'load'] as const) {
        assertEqual(typeof description[method], 'function', `${method} must be a function`)
      }
    },
  },
  {
    title: 'probe() says whether the daemon can be installed here, and if not, why',
    async prove(sandbox) {
      const { context } = await sandbox.instance({ joined: false })
      const probe = await sandbox.options.description.probe(context)
      assert(
        probe.available === sandbox.installable,
        `probe() must say available: ${sandbox.installable}, as the suite was told`,
        probe,
      )
      if (probe.available) return
      const { reason } = probe
      assert(typeof reason === 'string' && reason.trim() !== '', 'probe() must give a reason', probe)
    },
  },
  {
    title: 'in an empty home nothing is installed, nothing runs, and looking changes nothing',
    async prove(sandbox) {
      const { context, instance, platform } = await sandbox.instance({ joined: false })
      const before = contentsOf(sandbox.watched)
      const isInstalled = await sandbox.options.description.isInstalled(context)
      assertEqual(isInstalled, false, 'isInstalled() must be false')
      const status = await platform.status()
      assertEqual(status.state, 'stopped', 'status() must say stopped', status)
      assertEqual(status.installed, false, 'status() must say installed: false', status)
      assertEqual(status.autostart, 'never', 'status() must say autostart: never', status)
      assertEqual(status.pid, undefined, 'status() must name no process', status)
      assert(!status.cleanedUp, 'status() must not say that it cleaned up where there was nothing', status)
      const changed = differences(before, contentsOf(sandbox.watched))
      assertEqual(changed.length, 0, 'isInstalled() and status() must change nothing on disk', changed)
      mkdirSync(instance.folder, { recursive: true, mode: 0o700 })
      const stopped = await platform.stop()
      assertEqual(stopped, undefined, 'stop() must return undefined where nothing runs')
      const removed = await platform.uninstall()
      assertEqual(removed, undefined, 'uninstall() must return undefined where nothing is installed')
    },
  },
]

/** What a platform that cannot be installed into answers. */
export const notInstallableChecks: readonly Check[] = [
  {
    title: 'install() fails with INSTALL_UNSUPPORTED, and leaves nothing behind',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const before = contentsOf(sandbox.watched)
      const error = await assertRejects('install() must fail', tested.install())
      assert(codeOf(error) === 'INSTALL_UNSUPPORTED', 'install() must fail with INSTALL_UNSUPPORTED', error)
      const changed = differences(before, contentsOf(sandbox.watched))
      assertEqual(changed.length, 0, 'install() must leave nothing behind', changed)
    },
  },
]
