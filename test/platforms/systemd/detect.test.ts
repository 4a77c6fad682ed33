import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import { userInfo } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest'
import { detectSystemd } from '../../../src/platforms/systemd/detect.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { fakePrograms, type Behaviour } from './helpers/fake-programs.ts'
import { sample } from './helpers/sample.ts'

/** A machine's files, from its root; a name that ends with a slash is a folder. */
function rootWith(files: Readonly<Record<string, string>>): string {
  const root = scratchFolder()
  for (const [name, content] of Object.entries(files)) {
    const file = path.join(root, name)
    mkdirSync(name.endsWith('/') ? file : path.dirname(file), { recursive: true })
    if (!name.endsWith('/')) writeFileSync(file, content)
  }
  return root
}

// Of a home that is not the user's own each answer would be that.
beforeAll(() => void vi.stubEnv('HOME', userInfo().homedir))
afterAll(() => void vi.unstubAllEnvs())

const BOOTED = { '/run/systemd/system/': '' }

function detect(files: Record<string, string>, programs: Record<string, Behaviour>, manager = true) {
  return detectSystemd({ env: fakePrograms(programs, manager), root: rootWith(files) })
}

const systemctl = sample('manager-login')

describe('not on', () => {
  test.for([
    ['a machine without systemctl', {}, {}, 'there is no systemctl on this machine'],
    ['OpenRC', { '/run/openrc/softlevel': 'default' }, {}, 'this machine runs OpenRC, not systemd'],
    [
      'OpenRC beside a systemctl',
      { '/run/openrc/softlevel': 'default' },
      { systemctl },
      'this machine runs OpenRC, not systemd',
    ],
    ['runit', { '/proc/1/comm': 'runit\n' }, { systemctl }, 'this machine runs runit, not systemd'],
    [
      'Docker',
      { '/.dockerenv': '', '/proc/1/comm': 'sh\n' },
      { systemctl },
      'this looks like a container, and its process 1 is sh, not systemd',
    ],
    [
      'Podman',
      { '/run/.containerenv': '', '/proc/1/comm': 'node\n' },
      { systemctl },
      'this looks like a container, and its process 1 is node, not systemd',
    ],
    [
      'another container',
      { '/proc/1/environ': 'A=1\0container=lxc\0' },
      { systemctl },
      'this looks like a container, and its process 1 is unknown, not systemd',
    ],
    [
      'WSL without systemd',
      { '/proc/version': 'Linux version 5.15.90.1-microsoft-standard-WSL2 (gcc)' },
      { systemctl },
      'WSL runs without systemd; to have it, add the lines [boot] and systemd=true to /etc/wsl.conf, then run wsl --shutdown in Windows',
    ],
    [
      'any other',
      { '/proc/1/comm': 'init\n' },
      { systemctl },
      'this machine was not booted with systemd: its process 1 is init',
    ],
  ] as const)('%s', async ([, files, programs, reason]) => {
    expect(await detect(files, programs)).toEqual({ available: false, reason })
  })
})

describe('with systemd', () => {
  test.for(['manager-login', 'manager-degraded'])('it is there: %s', async (name) => {
    expect(await detect(BOOTED, { systemctl: sample(name) })).toEqual({ available: true })
  })

  test.for([
    ['manager-stopped', 'systemctl --user failed: Failed to connect to bus: Connection refused'],
    [
      'manager-bare-runtime-dir-logged-out',
      'systemctl --user failed: Failed to connect to bus: No such file or directory',
    ],
  ] as const)('a manager that does not answer is told in its own words: %s', async ([name, reason]) => {
    expect(await detect(BOOTED, { systemctl: sample(name) })).toEqual({ available: false, reason })
  })

  const hasManager = existsSync(`/run/user/${process.getuid?.()}/systemd/private`)
  describe.skipIf(hasManager)('but no user manager (skipped where this user has one)', () => {
    test('it is there if loginctl may start one', async () => {
      const programs = { systemctl, loginctl: systemctl }
      expect(await detect(BOOTED, programs, false)).toEqual({ available: true })
    })

    test('it is not there without loginctl', async () => {
      const answer = await detect(BOOTED, { systemctl }, false)
      expect(answer).toEqual({ available: false, reason: 'no user manager runs' })
    })
  })
})
