import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { connect, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { fakePrograms, type Behaviour } from '../platforms/systemd/fake-programs.ts'
import { sample } from '../platforms/systemd/sample.ts'

describe.skipIf(process.platform !== 'linux')('what is said when systemd’s programs (only on Linux)', () => {
  let world: World
  let home: Home
  let unit: string

  beforeAll(async () => {
    world = await World.start()
    home = await world.machine('faked')
    unit = path.join(home.folder, '.config', 'systemd', 'user', 'private-connect.service')
  })

  afterAll(() => world.stop())

  /** Installed it is, by the file. */
  beforeEach(() => {
    mkdirSync(path.dirname(unit), { recursive: true })
    writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
  })

  function daemon(action: string, programs: Readonly<Record<string, Behaviour>>): Promise<CliResult> {
    const env = { CONNECT_PLATFORM: 'systemd', ...fakePrograms(programs) }
    return connect(home, ['daemon', ...action.split(' ')], { env })
  }

  async function statusWith(programs: Readonly<Record<string, Behaviour>>): Promise<unknown> {
    const { code, stdout } = await daemon('status --json', programs)
    expect(code).toBe(0)
    return JSON.parse(stdout)
  }

  const SILENT = 'systemctl --user gives no answer that can be read'

  test.for([
    ['are missing', {}],
    ['hang', { systemctl: { script: 'exec sleep 100' }, loginctl: { script: 'exec sleep 100' } }],
    ['say nothing', { systemctl: { script: 'exit 0' } }],
    ['speak another language', { systemctl: { script: 'echo All is well; exit 0' } }],
  ] as const)('%s: that it is not known, and nothing is called done', async ([, programs]) => {
    expect(await statusWith(programs)).toMatchObject({
      status: 'unknown',
      reason: SILENT,
      installed: true,
      pid: null,
    })
    for (const action of ['stop', 'restart', 'install', 'uninstall']) {
      const { code, stdout, stderr } = await daemon(action, programs)
      expect([action, code]).toEqual([action, 1])
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] systemctl --user show private-connect.service gives no answer')
    }
    expect(existsSync(unit)).toBe(true)
  })

  test('can’t reach the manager: that it does not run', async () => {
    const programs = { systemctl: sample('manager-stopped'), loginctl: sample('enable-linger-named') }
    const reason = 'Your user has no systemd of its own running (no user manager)'
    expect(await statusWith(programs)).toMatchObject({ status: 'stopped', reason })
    expect(await daemon('install', programs)).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        `[x] ${reason}\n  It could not be started: loginctl enable-linger failed: `,
      ) as string,
    })
    expect(await daemon('stop', programs)).toMatchObject({ code: 0, stderr: '' })
  })

  /** Says yes to all, while the unit stays as it is. */
  const lying = (show: string): Behaviour => ({
    script: `case "$*" in
      *is-system-running*) echo running ;;
      *show*) cat <<'END'
${sample(show).stdout}
END
      ;;
    esac`,
  })

  test('say yes to a start, and nothing runs: that it failed', async () => {
    const programs = { systemctl: lying('show-enabled') }
    for (const action of ['install', 'start', 'restart']) {
      const { code, stdout, stderr } = await daemon(action, programs)
      expect([action, code]).toEqual([action, 1])
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] Daemon failed to start: it is inactive (dead)\n')
    }
  })

  test('say yes to a stop, and it runs on: that it did not stop', async () => {
    const programs = { systemctl: lying('show-running') }
    for (const action of ['stop', 'uninstall']) {
      const { code, stdout, stderr } = await daemon(action, programs)
      expect([action, code]).toEqual([action, 1])
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] systemd has not stopped private-connect.service\n')
    }
    expect(existsSync(unit)).toBe(true)
  })

  test('say yes to enabling, and it is not: that it is not enabled', async () => {
    const { code, stderr } = await daemon('install', { systemctl: lying('show-disabled') })
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr: expect.stringContaining(
        'enable private-connect.service said yes, but it is disabled\n',
      ) as string,
    })
  })

  test('refuse to reload: what they said', async () => {
    const script = `case "$*" in
      *is-system-running*) echo running ;;
      *show*) cat <<'END'
${sample('show-enabled').stdout}
END
      ;;
      *daemon-reload*) echo 'Failed to reload daemon: Access denied' >&2; exit 1 ;;
    esac`
    expect(await daemon('install', { systemctl: { script } })).toMatchObject({
      code: 1,
      stderr: expect.stringContaining(
        '[x] systemctl --user daemon-reload failed: Failed to reload daemon: Access denied\n',
      ) as string,
    })
  })
})
