import { readFileSync, writeFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { identify } from '../../process/identity.ts'
import type { Check } from './check.ts'
import { demand, demandIs } from './demand.ts'
import { contentsOf } from './folder-contents.ts'
import type { Subject } from './subject.ts'

/** By then a signal has done what it does. */
const SIGNAL_MS = 250

export const apartChecks: readonly Check[] = [
  {
    title: 'files that name a process which is not the agent mislead nobody, and do that process no harm',
    async prove(scene) {
      const subject = await scene.subject()
      const { instance, platform } = subject
      await subject.bringUp()
      const record = JSON.parse(readFileSync(instance.recordFile, 'utf8')) as object
      await platform.stop()
      if (scene.installable) await platform.uninstall()
      const stranger = await scene.stranger()
      const forge = () => {
        writeFileSync(instance.recordFile, JSON.stringify({ ...record, pid: stranger.pid }))
        writeFileSync(instance.pidFile, `${stranger.pid}\n`)
      }
      const lives = async (when: string) => {
        await sleep(SIGNAL_MS)
        demand(!stranger.gone && identify(stranger.pid) !== undefined, `${when} must leave strangers alone`)
      }
      forge()
      await subject.stopped('when daemon.pid and agent.json name another program')
      await lives('status()')
      forge()
      const stopped = await platform.stop()
      await lives('stop()')
      demandIs(stopped, undefined, 'stop() must return undefined when only files name a process')
      forge()
      const pid = await subject.bringUp()
      await lives('start()')
      demand(pid !== stranger.pid, 'The daemon must be a process of its own')
      await subject.runningAs(pid, 'after it was started over files that named another program')
    },
  },
  {
    title: 'two instances side by side don’t touch each other',
    async prove(scene) {
      const [one, other] = [await scene.subject(), await scene.subject()]
      const onePid = await one.bringUp()
      const otherPid = await other.bringUp()
      demand(onePid !== otherPid, 'Each instance must have a process of its own', { onePid, otherPid })
      await one.runningAs(onePid, 'after another instance was started')
      await one.platform.stop()
      await one.stopped('after stop()')
      await other.runningAs(otherPid, 'after another instance was stopped')
      const { pid } = await one.start(one.daemon())
      await other.runningAs(otherPid, 'after another instance was started')
      await one.runningAs(pid, 'after start()')
      if (scene.installable) {
        await one.platform.uninstall()
        await one.stopped('after uninstall()')
        const { installed } = await other.runningAs(otherPid, 'after another instance was uninstalled')
        demand(installed, 'uninstall() must not uninstall another instance')
      }
    },
  },
  {
    title: 'no secret is in any file that the platform writes',
    async prove(scene) {
      const secrets = {
        PRIVATECONNECT_TOKEN: 'tok_conformance_token_1f0c2a5d9e',
        DATABASE_PASSWORD: 'conformance-password-77c1e0b4',
      }
      const subject = await scene.subject({ env: secrets })
      await subject.bringUp()
      await subject.platform.stop()
      await subject.start(subject.daemon())
      const wanted = { ...secrets, 'the private key': keyOf(subject) }
      for (const [file, contents] of contentsOf(scene.watched)) {
        if (file === subject.instance.configFile) continue
        for (const [name, value] of Object.entries(wanted)) {
          demand(!contents.includes(value), `${name} must not be written to a file`, file)
        }
      }
    },
  },
]

function keyOf({ instance }: Subject): string {
  const { key } = JSON.parse(readFileSync(instance.configFile, 'utf8')) as { key: { d: string } }
  return key.d
}
