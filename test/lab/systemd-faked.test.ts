import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { joined } from '../fixtures/joined.ts'
import { connect, type CliResult } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { fakePrograms, type Behaviour } from '../platforms/systemd/helpers/fake-programs.ts'
import { sample } from '../platforms/systemd/helpers/sample.ts'

describe.skipIf(process.platform !== 'linux')('what is said when systemd’s programs (only on Linux)', () => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  interface Answer extends CliResult {
    readonly action: string
    /** Whether the unit's file is there afterwards. */
    readonly isInstalled: boolean
  }

  /** On a machine of its own, where by its files the service is installed. */
  async function daemon(action: string, programs: Readonly<Record<string, Behaviour>>): Promise<Answer> {
    const home = await joined(world)
    const unit = path.join(home.folder, '.config', 'systemd', 'user', 'private-connect.service')
    mkdirSync(path.dirname(unit), { recursive: true })
    writeFileSync(unit, '[Service]\nExecStart=/bin/true\n')
    const env = { CONNECT_PLATFORM: 'systemd', ...fakePrograms(programs) }
    const result = await connect(home, ['daemon', ...action.split(' ')], { env })
    return { ...result, action, isInstalled: existsSync(unit) }
  }

  /** At once: what does not answer is waited for. */
  function each(
    actions: readonly string[],
    programs: Readonly<Record<string, Behaviour>>,
  ): Promise<Answer[]> {
    return Promise.all(actions.map((action) => daemon(action, programs)))
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
    const [status, answers] = await Promise.all([
      statusWith(programs),
      each(['stop', 'restart', 'install', 'uninstall'], programs),
    ])
    expect(status).toMatchObject({ status: 'unknown', reason: SILENT, installed: true, pid: null })
    for (const answer of answers) {
      const { stdout, stderr } = answer
      expect(answer).toMatchObject({ code: 1, isInstalled: true })
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] systemctl --user show private-connect.service gives no answer')
    }
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
    for (const answer of await each(['install', 'start', 'restart'], programs)) {
      const { stdout, stderr } = answer
      expect(answer).toMatchObject({ code: 1 })
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] Daemon failed to start: it is inactive (dead)\n')
    }
  })

  test('say yes to a stop, and it runs on: that it did not stop', async () => {
    const programs = { systemctl: lying('show-running') }
    for (const answer of await each(['stop', 'uninstall'], programs)) {
      const { stdout, stderr } = answer
      expect(answer).toMatchObject({ code: 1, isInstalled: true })
      expect(stdout).not.toContain('[ok]')
      expect(stderr).toContain('[x] systemd has not stopped private-connect.service\n')
    }
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
