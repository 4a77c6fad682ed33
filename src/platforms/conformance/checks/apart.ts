import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify } from '../../../process/identity.ts'
import { assert, assertEqual } from '../harness/assert.ts'
import { contentsOf } from '../harness/folder-contents.ts'
import type { TestInstance } from '../harness/test-instance.ts'
import type { Check } from './check.ts'

/** How long a signal may take to do what it does, in ms. */
const SIGNAL_MS = 250

export const apartChecks: readonly Check[] = [
  {
    title: 'files that name a process which is not the agent mislead nobody, and do that process no harm',
    async prove(sandbox) {
      const tested = await sandbox.instance()
      const { instance, platform } = tested
      await tested.bringUp()
      const record = JSON.parse(readFileSync(instance.recordFile, 'utf8')) as object
      await platform.stop()
      if (sandbox.installable) await platform.uninstall()
      const stranger = await sandbox.stranger()
      const forge = () => {
        writeFileSync(instance.recordFile, JSON.stringify({ ...record, pid: stranger.pid }))
        writeFileSync(instance.pidFile, `${stranger.pid}\n`)
      }
      const lives = async (when: string) => {
        await sleep(SIGNAL_MS)
        assert(!stranger.gone && identify(stranger.pid) !== undefined, `${when} must leave strangers alone`)
      }
      forge()
      await tested.stopped('when daemon.pid and agent.json name another program')
      await lives('status()')
      forge()
      const stopped = await platform.stop()
      await lives('stop()')
      assertEqual(stopped, undefined, 'stop() must return undefined when only files name a process')
      forge()
      const pid = await tested.bringUp()
      await lives('start()')
      assert(pid !== stranger.pid, 'The daemon must be a process of its own')
      await tested.runningAs(pid, 'after it was started over files that named another program')
    },
  },
  {
    title: 'two instances side by side don’t touch each other',
    async prove(sandbox) {
      const [one, other] = [await sandbox.instance(), await sandbox.instance()]
      const onePid = await one.bringUp()
      const otherPid = await other.bringUp()
      assert(onePid !== otherPid, 'Each instance must have a process of its own', { onePid, otherPid })
      await one.runningAs(onePid, 'after another instance was started')
      await one.platform.stop()
      await one.stopped('after stop()')
      await other.runningAs(otherPid, 'after another instance was stopped')
      const { pid } = await one.start(one.daemon())
      await other.runningAs(otherPid, 'after another instance was started')
      await one.runningAs(pid, 'after start()')
      if (sandbox.installable) {
        await one.platform.uninstall()
        await one.stopped('after uninstall()')
        const { installed } = await other.runningAs(otherPid, 'after another instance was uninstalled')
        assert(installed, 'uninstall() must not uninstall another instance')
      }
    },
  },
  {
    title: 'no secret is in any file that the platform writes',
    async prove(sandbox) {
      const secrets = {
        PRIVATECONNECT_TOKEN: 'tok_conformance_token_1f0c2a5d9e',
        DATABASE_PASSWORD: 'conformance-password-77c1e0b4',
      }
      const tested = await sandbox.instance({ env: secrets })
      await tested.bringUp()
      await tested.platform.stop()
      await tested.start(tested.daemon())
      const { kind } = tested.instance
      const wanted = { ...secrets, ...(kind === 'agent' && { 'the private key': keyOf(tested) }) }
      for (const [file, contents] of contentsOf(sandbox.watched)) {
        if (file === tested.instance.configFile) continue
        for (const [name, value] of Object.entries(wanted)) {
          assert(!contents.includes(value), `${name} must not be written to a file`, file)
        }
      }
    },
  },
]

function keyOf({ instance }: TestInstance): string {
  const { key } = JSON.parse(readFileSync(instance.configFile, 'utf8')) as { key: { d: string } }
  return key.d
}
