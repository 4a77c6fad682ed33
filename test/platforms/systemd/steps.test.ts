import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test, vi } from 'vitest'
import { instanceFor, type Instance } from '../../../src/config/instance.ts'
import { writeProcessRecord } from '../../../src/control/process-record.ts'
import type { Daemon, StartOptions } from '../../../src/platforms/platform.ts'
import { SystemdPlatform } from '../../../src/platforms/systemd/systemd.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { stepsTaken } from '../../fixtures/steps-taken.ts'
import { fakePrograms } from './helpers/fake-programs.ts'

const STOP = [
  'Ask systemd to stop',
  'Wait for its result (clean, or killed after 5 s)',
  'Verify that it is gone',
  'Remove the PID file',
]
const START = ['Ask systemd to start it', 'Wait up to 1 s for it to stabilise', 'Verify that it still runs']
const INSTALL = ['Find your user manager', 'Look at what systemd has', 'Write the unit', 'Enable it']
const BOOT = 'Have it start on boot'
const done = (...titles: string[]) => titles.map((title) => `${title}: done`)
const skipped = (reason: string, ...titles: string[]) => titles.map((it) => `${it}: skipped (${reason})`)

/** A manager in a few lines of shell: it keeps one unit's state, and believes whatever its files say. */
const SYSTEMCTL = String.raw`
cd "$STATE" || exit 1
while [ "\${1#-}" != "$1" ]; do shift; done
case $1 in
  is-system-running) echo running ;;
  daemon-reload) cp unit loaded 2>/dev/null || : >loaded ;;
  reenable) echo enabled >file ;;
  restart) cat next >active ;;
  stop) [ "$(cat active)" = inactive ] || cat end >active ;;
  disable) echo inactive >active; echo disabled >file ;;
  reset-failed) read -r was <active; [ "$was" != failed ] || echo inactive >active ;;
  show)
    read -r active <active
    load=not-found; [ ! -e "$UNIT" ] || load=loaded
    pid=0; [ "$active" != active ] || read -r pid <pid
    result=success; [ "$active" != failed ] || read -r result <result
    echo "LoadState=$load"; echo "ActiveState=$active"; echo SubState=x; echo "Result=$result"
    echo "MainPID=$pid"; echo "UnitFileState=$(cat file)"; echo NRestarts=0; echo NeedDaemonReload=no
    echo ExecMainCode=1; echo ExecMainStatus=3 ;;
esac
`.replaceAll('\\$', '$')

interface Manager {
  readonly platform: SystemdPlatform
  readonly daemon: Daemon
  readonly options: StartOptions
  readonly unit: string
  readonly instance: Instance
  /** What becomes of the unit at the next start, and at the next stop. */
  readonly behave: (how: {
    start?: 'active' | 'failed'
    stop?: 'inactive' | 'failed' | 'active'
    result?: string
    pid?: string
  }) => void
}

function manager(): Manager {
  const home = scratchFolder()
  const state = path.join(home, 'state')
  mkdirSync(state)
  const unit = path.join(home, '.config', 'systemd', 'user', 'private-connect.service')
  const set = (name: string, value: string) => writeFileSync(path.join(state, name), `${value}\n`)
  for (const [name, value] of Object.entries({
    active: 'inactive',
    file: '',
    next: 'active',
    end: 'inactive',
    result: 'success',
    pid: '4711',
  }))
    set(name, value)
  vi.stubEnv('HOME', home)
  const loginctl = { script: `case $* in *show-user*) echo yes ;; esac` }
  const env = fakePrograms({ systemctl: { script: SYSTEMCTL }, loginctl })
  const instance = instanceFor(undefined, home)
  mkdirSync(instance.folder, { mode: 0o700 })
  const context = {
    instance,
    env: { ...env, PATH: `${env.PATH}:/usr/bin:/bin`, STATE: state, UNIT: unit, HOME: home },
  }
  return {
    platform: new SystemdPlatform(context),
    daemon: { command: ['/usr/bin/node', 'run.js'], env: {}, cwd: home, logFile: instance.logFile },
    options: { isReady: async (pid) => pid === 4711, stableMs: 1000 },
    unit,
    instance,
    behave({ start = 'active', stop = 'inactive', result = 'success', pid = '4711' }) {
      set('pid', pid)
      set('next', start)
      set('end', stop)
      set('result', result)
    },
  }
}

afterEach(() => {
  vi.unstubAllEnvs()
})

describe.skipIf(process.platform !== 'linux')('systemd, or a stand-in for it (Linux only)', () => {
  test('is told in true steps to install, once more, to stop, to start and to remove it', async () => {
    const { platform, daemon, options, unit } = manager()
    const install = () => stepsTaken(platform.install(daemon, options))
    const first = await install()
    expect(first.taken).toEqual(done(...INSTALL, ...START, BOOT))
    expect(first.result).toMatchObject({ change: 'created', pid: 4711, autostart: 'boot' })
    expect(readFileSync(unit, 'utf8')).toContain('Restart=always')
    expect((await install()).taken).toEqual([
      ...done(...INSTALL.slice(0, 2)),
      ...skipped('it is as it should be', INSTALL[2]!),
      ...skipped('it is enabled', INSTALL[3]!),
      ...skipped('it runs', START[0]!),
      ...done(...START.slice(1), BOOT),
    ])
    expect(await stepsTaken(platform.stop())).toEqual({ taken: done(...STOP), result: 'exited' })
    const down = 'systemd does not run it'
    expect(await stepsTaken(platform.stop())).toEqual({
      taken: [...skipped(down, ...STOP.slice(0, 3)), ...done(STOP[3]!)],
      result: undefined,
    })
    expect((await stepsTaken(platform.start(daemon, options))).taken).toEqual([
      ...done(INSTALL[0]!),
      ...skipped('it is as it should be', INSTALL[2]!),
      ...done(...START),
    ])
    const removing = ['Remove the unit', 'Leave folders and lingering as they were']
    const removal = await stepsTaken(platform.uninstall())
    expect(removal.taken).toEqual(done('Look at what systemd has', ...STOP, ...removing))
    expect(existsSync(unit)).toBe(false)
    const nothing = await stepsTaken(platform.uninstall())
    expect(nothing).toEqual({
      taken: [...done('Look at what systemd has'), ...skipped('it is not installed', ...STOP, ...removing)],
      result: undefined,
    })
  })

  test('takes an agent for one in the background only where that is certain', async () => {
    const { platform, instance, daemon, options, behave } = manager()
    const { pid } = writeProcessRecord(instance, identityFor(instance))
    expect((await platform.status()).background).toMatchObject({ state: 'running', agent: { pid } })
    await stepsTaken(platform.install(daemon, options))
    behave({ pid: String(pid) })
    expect((await platform.status()).background).toBeUndefined()
    behave({ pid: 'unreadable' })
    expect((await platform.status()).background).toBeUndefined()
  })

  test('says that it had to kill one that ignored SIGTERM', async () => {
    const { platform, daemon, options, behave } = manager()
    await stepsTaken(platform.install(daemon, options))
    behave({ stop: 'failed', result: 'timeout' })
    expect(await stepsTaken(platform.stop())).toEqual({ taken: done(...STOP), result: 'killed' })
  })

  test('fails at the step that goes wrong: a daemon that ends, a stop that it does not follow', async () => {
    const { platform, daemon, options, behave } = manager()
    await stepsTaken(platform.install(daemon, options))
    await stepsTaken(platform.stop())
    behave({ start: 'failed', result: 'exit-code' })
    const start = await stepsTaken(platform.start(daemon, options))
    expect(start.taken.slice(-3)).toEqual([...done(...START.slice(0, 2)), `${START[2]}: failed`])
    expect(start.error).toMatchObject({ code: 'DAEMON_FAILED' })
    const now = performance.now.bind(performance)
    behave({ stop: 'active' })
    await stepsTaken(platform.start(daemon, options))
    // It waits for 15 s: they are over soon.
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => now() * 20)
    const stop = await stepsTaken(platform.stop())
    clock.mockRestore()
    expect(stop.taken).toEqual([...done(...STOP.slice(0, 2)), `${STOP[2]}: failed`])
    expect(stop.error).toMatchObject({ code: 'DAEMON_WONT_STOP' })
  })
})
