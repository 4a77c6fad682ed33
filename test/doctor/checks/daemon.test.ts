import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { writeServices } from '../../../src/config/services.ts'
import { endProcessRecord, writeProcessRecord } from '../../../src/control/process-record.ts'
import { answers } from '../../../src/doctor/checks/daemon/answers.ts'
import { autostart } from '../../../src/doctor/checks/daemon/autostart.ts'
import { crashLoop } from '../../../src/doctor/checks/daemon/crash-loop.ts'
import { duplicates } from '../../../src/doctor/checks/daemon/duplicates.ts'
import { lingering } from '../../../src/doctor/checks/daemon/lingering.ts'
import { managerNotes } from '../../../src/doctor/checks/daemon/manager-notes.ts'
import { program } from '../../../src/doctor/checks/daemon/program.ts'
import { reconnectLoop } from '../../../src/doctor/checks/daemon/reconnect-loop.ts'
import { running } from '../../../src/doctor/checks/daemon/running.ts'
import { serviceFile } from '../../../src/doctor/checks/daemon/service-file.ts'
import { serviceManager } from '../../../src/doctor/checks/daemon/service-manager.ts'
import type { Patient } from '../../../src/doctor/context.ts'
import { ConnectError } from '../../../src/errors.ts'
import { tryLock } from '../../../src/files/lock.ts'
import { formatLine, type Level } from '../../../src/log/line.ts'
import { SystemdPlatform } from '../../../src/platforms/systemd/systemd.ts'
import type { PlatformDescription, PlatformStatus } from '../../../src/platforms/platform.ts'
import type { PluginProblem } from '../../../src/plugins/plugin-problem.ts'
import { localTime } from '../../../src/text/local-time.ts'
import { identityFor } from '../../fixtures/identity.ts'
import { fakePrograms } from '../../platforms/systemd/helpers/fake-programs.ts'
import { sample } from '../../platforms/systemd/helpers/sample.ts'
import { logIn, mend, patient, run, RUNNING, STOPPED, type Given } from '../helpers/patient.ts'

const SYSTEMD: Partial<PlatformDescription> = {
  name: 'systemd',
  summary: 'a systemd service: started again after a crash',
  probe: async () => ({ available: true }),
  isInstalled: async () => true,
}

async function loggedIn(given: Given = {}): Promise<Patient> {
  const who = patient(given)
  await logIn(who.instance)
  return who
}

async function exposing(given: Given = {}): Promise<Patient> {
  const who = await loggedIn(given)
  writeServices({ ...who.instance, kind: 'hub' }, [{ name: 'web', host: 'localhost', port: 80 }])
  return who
}

describe('what keeps the daemon', () => {
  test('a service manager that is fine, and one whose first failing step is told', async () => {
    expect(await run(serviceManager, patient({ description: SYSTEMD }))).toMatchObject({
      state: 'ok',
      seen: 'systemd, a systemd service: started again after a crash',
    })
    const runit = { ...SYSTEMD, name: 'runit', summary: 'runit: started again after a crash' }
    expect((await run(serviceManager, patient({ description: runit }))).seen).toBe(runit.summary)
    const probe = async () => ({ available: false, reason: 'your user manager is offline' }) as const
    expect(await run(serviceManager, patient({ description: { ...SYSTEMD, probe } }))).toMatchObject({
      state: 'failed',
      seen: 'systemd can’t keep it: your user manager is offline',
      fix: expect.any(String),
    })
  })

  test('where nothing is installed: what could keep it, or why nothing can', async () => {
    const could = { description: { name: 'systemd' } as PlatformDescription, reasons: [], problems: [] }
    expect(await run(serviceManager, patient({ chosen: { forInstall: async () => could } }))).toMatchObject({
      state: 'ok',
      seen: 'Nothing yet; systemd would: connect daemon install',
    })
    const none = { ...could, description: { name: 'background' } as PlatformDescription }
    const reasons = ['systemd: there is no systemctl on this machine']
    const asked = (why: readonly string[], status?: PlatformStatus) => {
      const chosen = { forInstall: async () => ({ ...none, reasons: why }) }
      return { chosen, ...(status && { status }) }
    }
    expect(await run(serviceManager, patient(asked(reasons)))).toMatchObject({
      state: 'skipped',
      seen: 'It has nothing to do; no service manager could (systemd: there is no systemctl on this machine)',
    })
    const seen = 'No service manager can (systemd: there is no systemctl on this machine)'
    expect(await run(serviceManager, await exposing(asked(reasons)))).toMatchObject({
      state: 'warning',
      seen,
      fix: expect.stringContaining('connect daemon start'),
    })
    // What does nothing any more is not to be run.
    expect(await run(serviceManager, patient(asked(reasons, RUNNING)))).toMatchObject({
      state: 'warning',
      seen: `${seen}: it runs until the next reboot`,
      fix: expect.stringContaining('docs/platform-plugins.md'),
    })
    const plugins = [...reasons, 'runit: nobody watches ~/service. Run: runsvdir ~/service &']
    expect(await run(serviceManager, patient(asked(plugins, RUNNING)))).toMatchObject({
      state: 'warning',
      seen: `${seen.slice(0, -1)}; runit: nobody watches ~/service)`,
      fix: 'Run: runsvdir ~/service &',
    })
  })

  test('a platform that there is not, a plugin that failed', async () => {
    const hints = ['Here there are: systemd', 'Name one of those']
    const choosing = Promise.reject(
      new ConnectError('PLATFORM_UNKNOWN', 'There is no platform "x"', { hints }),
    )
    choosing.catch(() => {})
    expect(await run(serviceManager, patient({ choosing }))).toMatchObject({
      state: 'failed',
      seen: 'There is no platform "x". Here there are: systemd',
      fix: 'Name one of those',
    })
    const failing = (...problems: PluginProblem[]) => run(serviceManager, patient({ chosen: { problems } }))
    const late = { plugin: 'runit', what: 'failed: Timed out' }
    expect(await failing(late, { plugin: 's6', what: 'failed: oh' })).toMatchObject({
      state: 'warning',
      seen: 'Plugin runit failed: Timed out; Plugin s6 failed: oh',
      fix: 'Remove it: connect plugins uninstall runit',
    })
    const damaged = 'The list of plugins is damaged'
    expect(await failing({ plugin: undefined, what: damaged })).toMatchObject({
      state: 'warning',
      seen: damaged,
      fix: 'See: connect plugins',
    })
  })
})

describe('that it runs', () => {
  test('where the config can’t be used it is not known whether it should, which the config’s check tells', async () => {
    const who = await exposing()
    writeFileSync(who.instance.configFile, '{', { mode: 0o600 })
    expect(await run(running, who)).toMatchObject({
      state: 'skipped',
      seen: 'No; and the configuration can’t be used',
    })
  })

  test('as the daemon, or in a terminal', async () => {
    const startedAt = '2026-11-27T10:00:00.000Z'
    expect(await run(running, patient({ status: { ...RUNNING, startedAt } }))).toMatchObject({
      state: 'ok',
      seen: `As the daemon (PID: 4711), since ${localTime(startedAt)}`,
    })
    expect(await run(running, patient({ status: { ...STOPPED, foregroundPid: 5 } }))).toMatchObject({
      state: 'ok',
      seen: expect.stringContaining('In the foreground (PID: 5)'),
    })
  })

  test('not: without a login or anything to do that is nothing, else it failed, and how the last one ended is told', async () => {
    expect(await run(running, patient())).toMatchObject({ state: 'skipped' })
    expect(await run(running, await loggedIn())).toMatchObject({ state: 'skipped' })
    const who = await exposing()
    expect(await run(running, who)).toMatchObject({ state: 'failed', fix: 'Run: connect daemon start' })
    writeProcessRecord(who.instance, identityFor(who.instance))
    const end = { at: null, reason: 'The hub’s owner has revoked this machine', code: 78, signal: null }
    endProcessRecord(who.instance, { ...end, fix: 'Log in again: connect logout' })
    expect(await run(running, who)).toMatchObject({
      state: 'failed',
      seen: 'No. The last one: The hub’s owner has revoked this machine',
      fix: 'Log in again: connect logout',
    })
  })

  test('again and again, or nobody knows', async () => {
    const restarting = { ...RUNNING, state: 'restarting', reason: 'It ended, and is started again' } as const
    expect(await run(running, patient({ status: restarting }))).toMatchObject({
      state: 'failed',
      seen: restarting.reason,
      fix: 'See why: connect daemon logs',
    })
    const unknown = { ...STOPPED, state: 'unknown', reason: 'systemctl gives no answer' } as const
    expect(await run(running, patient({ status: unknown }))).toMatchObject({
      state: 'unknown',
      seen: unknown.reason,
    })
  })
})

test('when it starts by itself', async () => {
  const see = async (given: Given) => run(autostart, await exposing(given))
  const asInstalled = (when: PlatformStatus['autostart'], bootHint?: string) =>
    see({ status: { ...RUNNING, autostart: when, ...(bootHint !== undefined && { bootHint }) } })
  expect(await asInstalled('boot')).toMatchObject({ state: 'ok', seen: 'On boot' })
  expect(await asInstalled('login')).toMatchObject({ state: 'ok', seen: 'When you log in' })
  const byManager = {
    state: 'warning',
    seen: 'Whenever its service manager starts, which may not be on boot',
  }
  expect(await asInstalled('manager', 'Have it')).toMatchObject({ ...byManager, fix: 'Have it' })
  expect(await asInstalled('manager')).toMatchObject({
    ...byManager,
    fix: 'Have its service manager start on boot',
  })
  expect(await asInstalled('never')).toMatchObject({ state: 'failed', fix: 'Run: connect daemon install' })
  const systemd = { description: SYSTEMD as PlatformDescription, reasons: [], problems: [] }
  expect(await see({ chosen: { forInstall: async () => systemd } })).toMatchObject({
    state: 'warning',
    fix: 'Run: connect daemon install',
  })
  expect(await see({})).toMatchObject({ state: 'skipped' })
  expect(await run(autostart, await loggedIn())).toMatchObject({ state: 'skipped' })
})

describe('lingering', () => {
  /** systemd's own, with a loginctl that does as told. */
  async function withLoginctl(script: string): Promise<Patient> {
    const who = await loggedIn({ description: SYSTEMD })
    const env = fakePrograms({ loginctl: { script } })
    const platform = new SystemdPlatform({ instance: who.instance, env })
    return { ...who, choosing: who.choosing.then((chosen) => ({ ...chosen, platform })) }
  }

  test('on, off, and not to be known', async () => {
    expect(await run(lingering, await withLoginctl('echo yes'))).toMatchObject({ state: 'ok' })
    expect(await run(lingering, await withLoginctl('echo no'))).toMatchObject({
      state: 'warning',
      fix: 'Run: sudo loginctl enable-linger "$USER"',
    })
    expect(await run(lingering, await withLoginctl('exit 1'))).toMatchObject({ state: 'unknown' })
    expect(await run(lingering, patient())).toMatchObject({ state: 'skipped' })
  })

  test('is turned on by --fix, and said to be refused where it is', async () => {
    const who = await withLoginctl(
      'case "$*" in *enable-linger*) : > "$XDG_RUNTIME_DIR/on";; *) test -e "$XDG_RUNTIME_DIR/on" && echo yes || echo no;; esac',
    )
    expect(await mend(lingering, who)).toMatchObject({
      done: 'lingering was turned on',
      after: { state: 'ok' },
    })
    const refused = sample('enable-linger-polkit-bare')
    const denied = await withLoginctl(
      `case "$*" in *enable-linger*) echo '${refused.stderr.trim()}' >&2; exit 1;; *) echo no;; esac`,
    )
    expect(await mend(lingering, denied)).toMatchObject({
      error: expect.stringContaining('loginctl enable-linger'),
      after: { state: 'warning' },
    })
  })
})

describe('an agent’s socket', () => {
  test('nobody, an answer, and one that hangs', async () => {
    expect(await run(answers, await loggedIn())).toMatchObject({ state: 'skipped', seen: 'No agent runs' })
    const who = await loggedIn()
    // Holds its lock and has its record as an agent, and never answers.
    const lock = await tryLock(who.instance.lockFile)
    onTestFinished(() => lock?.release())
    writeProcessRecord(who.instance, identityFor(who.instance))
    expect(await run(answers, who)).toMatchObject({
      state: 'failed',
      seen: 'No: the agent does not answer on its socket',
      fix: expect.stringContaining('connect daemon restart'),
    })
  })

  test('the version that runs is not the one that is installed', async () => {
    const who = await loggedIn({ status: RUNNING })
    expect(await run(program, who)).toMatchObject({ state: 'skipped' })
    const lock = await tryLock(who.instance.lockFile)
    onTestFinished(() => lock?.release())
    writeProcessRecord(who.instance, identityFor(who.instance, { version: '1.0.0' }))
    const found = await run(program, who)
    expect(found).toMatchObject({
      state: 'warning',
      seen: expect.stringContaining('The daemon runs version 1.0.0, and 1.2.3 is installed'),
      fix: expect.stringContaining('connect daemon restart'),
    })
    expect(found.mend).toBeDefined()
    writeProcessRecord(who.instance, identityFor(who.instance, { version: '1.0.0', mode: 'foreground' }))
    const foreground = await run(program, who)
    expect(foreground).toMatchObject({ state: 'warning', fix: expect.stringContaining('Ctrl-C') })
    expect(foreground.mend).toBeUndefined()
  })
})

test('what is installed is what this version would write, differs, or is gone', async () => {
  const content = '[Service]\nExecStart="/new"\nRestart=always\n'
  const warnings: string[] = []
  const plan = (file: string) => async () => ({ files: [{ file, content }], commands: [], warnings })
  const file = (who: Patient) => path.join(who.home, 'a.service')
  let status = RUNNING
  const who = await loggedIn({ description: SYSTEMD, status: async () => status })
  const installed = async () => {
    const { platform, ...chosen } = await who.choosing
    return {
      ...who,
      choosing: Promise.resolve({ ...chosen, platform: { ...platform, plan: plan(file(who)) } }),
    }
  }
  expect(await run(serviceFile, await installed())).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/a\.service is gone$/),
  })
  writeFileSync(file(who), content)
  expect(await run(serviceFile, await installed())).toMatchObject({ state: 'ok' })
  writeFileSync(file(who), content.replace('/new', '/old'))
  const found = await run(serviceFile, await installed())
  expect(found).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/a\.service differs from what this version writes \(ExecStart\)$/),
    fix: expect.stringContaining('connect daemon restart'),
  })
  expect(found.mend).toBeDefined()
  // Whoever has stopped it wants it so.
  status = { ...RUNNING, state: 'stopped' }
  const stopped = await run(serviceFile, await installed())
  expect(stopped).toMatchObject({ state: 'warning', fix: expect.stringContaining('connect daemon start') })
  expect(stopped.mend).toBeUndefined()
  writeFileSync(file(who), content)
  warnings.push('It lies in ~/Documents: move it elsewhere')
  expect(await run(serviceFile, await installed())).toMatchObject({ state: 'warning', fix: warnings[0] })
  expect(await run(serviceFile, await loggedIn())).toMatchObject({ state: 'skipped' })
})

test('only one agent: one in the background beside a service, launchd’s two domains, one in a terminal', async () => {
  const see = async (given: Given) => run(duplicates, await loggedIn({ description: SYSTEMD, ...given }))
  expect(await see({ status: RUNNING })).toMatchObject({ state: 'ok' })
  expect(await see({ status: STOPPED })).toMatchObject({ state: 'skipped' })
  const agent = { state: 'running', agent: { pid: 42 } } as never
  expect(await see({ status: { ...RUNNING, background: agent } })).toMatchObject({
    state: 'warning',
    seen: 'An agent runs in the background (PID: 42), beside what systemd keeps',
    fix: 'Leave one: connect daemon restart',
  })
  const doubled = 'launchd has it in gui/501 and user/501: one waits for the other'
  expect(await see({ status: { ...RUNNING, doubled } })).toMatchObject({ state: 'warning', seen: doubled })
  expect(await see({ status: { ...RUNNING, foregroundPid: 7 } })).toMatchObject({
    state: 'warning',
    fix: 'End the one in the terminal with Ctrl-C',
  })
})

test('what else the manager says: faults with what mends them, and settings of the user’s own', async () => {
  const see = (...notes: string[]) => run(managerNotes, patient({ status: { ...RUNNING, notes } }))
  expect(await see()).toMatchObject({ state: 'ok', seen: 'Nothing' })
  const own = 'Settings of your own apply: ~/.config/systemd/user/private-connect.service.d/override.conf'
  expect(await see(own)).toMatchObject({ state: 'ok', seen: own })
  expect(
    await see(own, 'The unit was changed and not read since. Run: connect daemon restart'),
  ).toMatchObject({
    state: 'warning',
    seen: 'The unit was changed and not read since',
    fix: 'Run: connect daemon restart',
  })
  expect(await see('The unit is masked: it can’t be started')).toMatchObject({
    state: 'warning',
    fix: 'Look at it: connect daemon status',
  })
})

describe('in the log of the last hour', () => {
  type Line = readonly [minutesAgo: number, text: string, level?: Level]

  async function logging(...lines: readonly Line[]): Promise<Patient> {
    const who = await loggedIn()
    mkdirSync(who.instance.folder, { recursive: true })
    const text = lines.map(([ago, text, level = 'info']) =>
      formatLine(new Date(Date.now() - ago * 60_000), level, text),
    )
    writeFileSync(who.instance.logFile, `${text.join('\n')}\n`, { mode: 0o600 })
    return who
  }

  const start = (ago: number): Line => [ago, '🚀 Starting Private Connect Agent...']
  const stop = (ago: number): Line => [ago, 'Stopped']
  const fault = (ago: number): Line => [ago, '[x] The disk is full', 'error']
  const retry = (ago: number): Line => [ago, 'The hub has closed. Reconnecting in 1.0 s', 'warn']
  const back = (ago: number): Line => [ago, '[ok] Reconnected to hub via WebSocket']

  test('crashes are counted by starts without a good end before them', async () => {
    expect(await run(crashLoop, await loggedIn())).toMatchObject({ state: 'ok' })
    expect(await run(crashLoop, await logging(start(50), stop(40), start(30)))).toMatchObject({ state: 'ok' })
    expect(await run(crashLoop, await logging(start(50), fault(40), start(30)))).toMatchObject({
      state: 'warning',
      seen: expect.stringMatching(
        /^It ended once in the last hour without being told to, and was last started again at \d\d:\d\d:\d\d, after: \[x\] The disk is full$/,
      ),
    })
    const looping = [50, 40, 30, 20].flatMap((ago) => [start(ago), fault(ago - 1)])
    expect(await run(crashLoop, await logging(...looping))).toMatchObject({
      state: 'failed',
      seen: expect.stringContaining('3 times in the last hour'),
      fix: 'See why: connect daemon logs --since 1h --level warn',
    })
    const old = [200, 190, 180, 170].map(start)
    expect(await run(crashLoop, await logging(...old, start(10)))).toMatchObject({ state: 'ok' })
  })

  test('connections that broke, with how often, when and why', async () => {
    expect(await run(reconnectLoop, await logging(start(50)))).toMatchObject({ state: 'ok' })
    expect(await run(reconnectLoop, await logging(retry(50), back(49)))).toMatchObject({
      state: 'ok',
      seen: expect.stringMatching(/^Once in the last hour, with 1 try to connect/),
    })
    const looping = [50, 40, 30, 20, 10].flatMap((ago) => [retry(ago), back(ago - 1)])
    expect(await run(reconnectLoop, await logging(...looping, retry(1)))).toMatchObject({
      state: 'warning',
      seen: expect.stringMatching(
        /^6 times in the last hour, with 6 tries to connect, the last at \d\d:\d\d:\d\d: The hub has closed$/,
      ),
      fix: expect.stringContaining('WebSockets'),
    })
  })
})
