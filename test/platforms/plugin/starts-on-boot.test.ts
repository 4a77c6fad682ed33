import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { describe, expect, test } from 'vitest'
import { root } from '../../helpers/cli.ts'

type Look = (pid: number) => { name: string; parent: number; user: number } | undefined
type StartsOnBoot = (pid: number, look?: Look) => boolean

/** From the supervisor to the child of process 1; of root unless another user is named after a colon. */
function seen(chain: string): Look {
  const processes = chain.split(' < ').map((word, at, { length }) => {
    const [name, user = '0'] = word.split(':')
    return { name: name!, user: Number(user), parent: at === length - 1 ? 1 : 101 + at }
  })
  return (pid) => processes[pid - 100]
}

describe.each(['runit', 's6'])('whether the supervisor of the plugin for %s starts on boot', (plugin) => {
  const load = async () => {
    const file = path.join(root, 'plugins', plugin, 'starts-on-boot.js')
    return ((await import(pathToFileURL(file).href)) as { startsOnBoot: StartsOnBoot }).startsOnBoot
  }

  test.for([
    ['runsvdir:1000 < runsv < runsvdir', true],
    ['s6-svscan:1000 < s6-supervise', true],
    ['s6-svscan:1000 < runsv < runsvdir', true],
    ['runsvdir:1000 < cron < cron', true],
    ['runsvdir:1000 < crond', true],
    // Started by hand, and left behind by a shell that has ended.
    ['runsvdir:1000', false],
    ['runsvdir', false],
    ['runsvdir:1000 < bash:1000 < sshd:1000 < sshd', false],
    ['runsvdir:1000 < su < bash < login', false],
    ['runsvdir:1000 < bash:1000 < sshd:1000 < sshd < runsv < runsvdir', false],
    // A user's own are no more than what the user has started.
    ['runsvdir:1000 < runsv:1000 < runsvdir:1000', false],
    ['runsvdir:1000 < cron:1000 < cron', false],
  ] as const)('%s: %s', async ([chain, isOnBoot]) => {
    expect((await load())(100, seen(chain))).toBe(isOnBoot)
  })

  test('process 1 does; what can’t be seen is not known to', async () => {
    const startsOnBoot = await load()
    expect(startsOnBoot(1, () => undefined)).toBe(true)
    expect(startsOnBoot(100, () => undefined)).toBe(false)
    const behind = seen('runsvdir:1000 < runsv < runsvdir')
    expect(startsOnBoot(100, (pid) => (pid === 102 ? undefined : behind(pid)))).toBe(false)
  })

  test('this very process does not', async () => {
    expect((await load())(process.pid)).toBe(false)
  })
})
