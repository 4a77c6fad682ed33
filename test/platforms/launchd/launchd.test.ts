import {
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { afterEach, describe, expect, test } from 'vitest'
import { ConnectError } from '../../../src/errors.ts'
import { noDomainError, bootstrapError } from '../../../src/platforms/launchd/manager/bootstrap-error.ts'
import { plistText } from '../../../src/platforms/launchd/definition.ts'
import { identify } from '../../../src/process/identity.ts'
import { waitFor } from '../../../src/runtime/wait-for.ts'
import { FAKE_RUNS_HERE } from '../../helpers/launchctl/fake.ts'
import type { Switches } from '../../helpers/launchctl/switches.ts'
import { until } from '../../helpers/until.ts'
import { Rig } from './helpers/rig.ts'

const uid = process.getuid?.()
const [GUI, USER] = [`gui/${uid}`, `user/${uid}`]

const NOTHING = { jobs: [], alive: [], plist: false }

let rig: Rig
const words: string[] = []

async function rigWith(switches: Partial<Switches> = {}): Promise<Rig> {
  rig = await Rig.start(switches)
  return rig
}

/** One that is installed and runs. @returns its pid */
async function running(switches: Partial<Switches> = {}): Promise<number> {
  await rigWith(switches)
  const { pid } = await rig.platform().install(rig.daemon(), rig.options)
  await asked()
  return pid
}

/** What launchctl was asked since the last time, by its first words. */
async function asked(): Promise<string[]> {
  const log = await rig.fake.log()
  words.push(...log)
  return log.map((line) => line.split(' ')[0]!)
}

/** Exactly one job in that domain, and exactly one process: its own. */
async function runsIn(domain: string): Promise<number> {
  const { jobs, alive, plist } = await rig.state()
  expect(jobs).toEqual([{ domain, pid: alive[0] }])
  expect(alive).toHaveLength(1)
  expect(plist).toBe(true)
  return alive[0]!
}

async function errorOf(promise: Promise<unknown>): Promise<ConnectError> {
  const error = await promise.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ConnectError)
  return error as ConnectError
}

const told = ({ message, hints }: ConnectError) => [message, ...hints].join('\n')

afterEach(async () => {
  await asked()
  const started = rig.starts()
  await rig.close()
  expect(started.filter(({ pid }) => rig.isOurs(pid))).toEqual([])
})

// The commands show what it does; these are the ways in which launchd may answer.
describe.runIf(FAKE_RUNS_HERE)(
  'launchd, as far as a stand-in for it goes (Linux only)',
  { tags: ['variation'] },
  () => {
    test('is asked to enable, bootstrap and, if need be, kickstart, and never in the old words', async () => {
      const pid = await running({ noRunAtLoad: true })
      expect(words.map((line) => line.split(' ')[0])).toEqual(
        expect.arrayContaining(['enable', 'bootstrap', 'kickstart']),
      )
      expect(await runsIn(GUI)).toBe(pid)
      await rig.platform().stop()
      await rig.platform().uninstall()
      await asked()
      expect(words.filter((line) => /^(load|unload|list|start|stop|remove|submit)\b/.test(line))).toEqual([])
      expect(await rig.state()).toEqual(NOTHING)
    })

    test('starts it with its own environment, folder, umask and log', async () => {
      await running()
      const { pid } = (await rig.fake.jobs())[0]!
      const environment = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0')
      expect(environment).toContain(`HOME=${rig.home}`)
      expect(environment).toContain('CONNECT_SUPERVISOR=launchd')
      expect(environment.filter((it) => /^(CONNECT_PLATFORM|VITEST)/.test(it))).toEqual([])
      expect(readFileSync(`/proc/${pid}/status`, 'utf8')).toMatch(/^Umask:\t0077$/m)
      const { stdout } = (await rig.fake.launchctl('print', `${GUI}/${rig.names.label}`)) as {
        stdout: string
      }
      expect(stdout).toContain('spawn type = interactive (4)')
    })

    describe('lets go of a job later than it says', () => {
      test.for([5, 17, 37, 130] as const)(
        'and says %i meanwhile: a changed plist is read all the same',
        async (busyCode) => {
          const before = await running({ lingerMs: 200, busyCode })
          rig.behave('stubborn')
          await rig.platform().restart(rig.daemon(), rig.options)
          const { pid, change } = await rig.platform().install(rig.daemon('second'), rig.options)
          expect(change).toBe('updated')
          expect(await runsIn(GUI)).toBe(pid)
          expect(identify(before)).toBeUndefined()
          expect(rig.starts().at(-1)).toEqual({ pid, version: 'second' })
        },
      )

      test('so bootstrap is tried until it is taken', async () => {
        const fails = { bootstrap: { code: 37, times: 3 } }
        expect(await running({ fails })).toBe(await runsIn(GUI))
      })

      test('or never: then it is said, and what runs goes on', async () => {
        const pid = await running({ lies: ['bootout'] })
        const error = await errorOf(rig.platform().stop())
        expect(error.code).toBe('DAEMON_WONT_STOP')
        expect(told(error)).toContain(
          `launchd did not unload ${rig.names.label}: it still runs (PID: ${pid})`,
        )
        expect(await runsIn(GUI)).toBe(pid)
      })
    })

    test('keeps a job disabled though its plist was gone: install enables it first', async () => {
      await rigWith()
      await rig.fake.launchctl('disable', `${GUI}/${rig.names.label}`)
      await rig.platform().install(rig.daemon(), rig.options)
      await runsIn(GUI)
      const log = await asked()
      expect(log.indexOf('enable')).toBeLessThan(log.indexOf('bootstrap'))
    })

    describe('says 5 to almost anything', () => {
      test('for ever: nothing is left, and nobody is told to be root', async () => {
        await rigWith({ fails: { bootstrap: { code: 5, times: 1000 } } })
        const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
        expect(error.code).toBe('SERVICE_MANAGER_FAILED')
        expect(error.message).toMatch(
          /^launchctl bootstrap gui\/\d+ \S+ failed: Bootstrap failed: 5: Input\/output error$/,
        )
        expect(told(error)).not.toContain('root')
        expect(error.hints.at(-1)).toBe('Nothing is installed, and nothing runs now.')
        expect(await rig.state()).toEqual(NOTHING)
      })

      test.for([109, 122, 155])(
        'or %i to the plist of another version: the one before runs again',
        async (code) => {
          await running()
          await rig.fake.set({ fails: { bootstrap: { code, times: 1 } } })
          const error = await errorOf(rig.platform().install(rig.daemon('second'), rig.options))
          const pid = await runsIn(GUI)
          expect(error.hints.at(-1)).toBe(`What ran before runs again (PID: ${pid}).`)
          expect(rig.starts().at(-1)).toEqual({ pid, version: 'first' })
          expect(readFileSync(rig.names.file, 'utf8')).toBe(plistText(rig.daemon(), rig.names.label))
        },
      )

      test('or nothing at all, and does not have it', async () => {
        await rigWith({ lies: ['bootstrap'] })
        const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
        expect(error.message).toContain('said yes, but launchd does not have it')
        expect(await rig.state()).toEqual(NOTHING)
      })

      test('because the home folder is on another disk', async () => {
        await rigWith()
        const result = { outcome: 'exited', code: 5, stdout: '', stderr: 'Bootstrap failed: 5' } as const
        const names = { ...rig.names, home: '/Volumes/Big/ada' }
        const error = bootstrapError({ result, domain: GUI, isNoDomain: false }, names)
        expect(error.message).toBe(
          'launchd runs nothing from a home folder on another disk (/Volumes/Big/ada)',
        )
        expect(error.hints).toHaveLength(1)
      })

      test.runIf(uid === 0)(
        'because others own the folder (needs root to be tried): said before anything is changed',
        async () => {
          await rigWith()
          mkdirSync(rig.names.folder, { recursive: true })
          chownSync(rig.names.folder, 65_534, 65_534)
          const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
          expect(error.code).toBe('WRITE_FAILED')
          expect(told(error)).toContain('belongs to another user')
          expect(told(error)).toContain('sudo chown "$USER"')
          expect(await rig.state()).toEqual(NOTHING)
          expect((await asked()).filter((verb) => verb !== 'print')).toEqual([])
        },
      )
    })

    describe('has no domain for who is not logged in at the screen', () => {
      test('then the other one is taken, and it is found there after a login', async () => {
        await rigWith({ gui: false })
        const { warnings } = await rig.platform().install(rig.daemon(), rig.options)
        expect(warnings.join('\n')).toContain('You are not logged in at the screen')
        const pid = await runsIn(USER)
        await rig.fake.set({ gui: true })
        expect(await rig.platform().status()).toMatchObject({ state: 'running', pid, installed: true })
        expect(await rig.platform().stop()).toBe('exited')
        expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
        await rig.platform().install(rig.daemon(), rig.options)
        await runsIn(GUI)
        await rig.platform().uninstall()
        expect(await rig.state()).toEqual(NOTHING)
      })

      test.for([112, 125, 134])('or says so with %i only when it is to load it there', async (code) => {
        await rigWith({ fails: { bootstrap: { code, times: 1 } } })
        const { pid } = await rig.platform().install(rig.daemon(), rig.options)
        expect(await runsIn(USER)).toBe(pid)
      })

      test('nor by ssh: said, and nothing is left', async () => {
        await rigWith({ gui: false, user: false })
        const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
        expect(told(error)).toContain(told(noDomainError(rig.names)))
        expect(await rig.state()).toEqual(NOTHING)
        expect(await rig.platform().status()).toMatchObject({ state: 'stopped', installed: false })
      })

      test('and after a login it has the job in both: one status, and one stop for both', async () => {
        await running()
        await rig.fake.logout()
        await rig.fake.login()
        const two = async () => ((await rig.state()).alive.length === 2 ? true : undefined)
        expect(await waitFor(two, { timeoutMs: 30_000 })).toBe(true)
        expect(await rig.platform().status()).toMatchObject({
          state: 'running',
          autostart: 'login',
          doubled: expect.stringMatching(/^launchd has it in gui\/\d+ and user\/\d+: /),
        })
        await rig.platform().stop()
        expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
      })
    })

    describe('does not come back from kickstart', () => {
      test('though it has started it: that counts', async () => {
        expect(await running({ noRunAtLoad: true, hangsAfter: ['kickstart'] })).toBe(await runsIn(GUI))
      })

      test('and has not: said, and nothing is left', async () => {
        await rigWith({ noRunAtLoad: true, hangs: ['kickstart'] })
        const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
        expect(error.message).toBe('launchd does not start it (it says: not running)')
        expect(await rig.state()).toEqual(NOTHING)
      })

      test('at a restart: then the plist is read anew', async () => {
        const before = await running({ throttleScale: 10 })
        await rig.fake.set({ hangs: ['kickstart'] })
        const { pid, stopped } = await rig.platform().restart(rig.daemon(), rig.options)
        expect(stopped).toBe('exited')
        expect(pid).not.toBe(before)
        expect(await runsIn(GUI)).toBe(pid)
      })

      test('of a job that it can’t run: install does not ask for it', async () => {
        await running()
        const program = rig.daemon().command[0]
        renameSync(program, `${program}.away`)
        const error = await errorOf(rig.platform().restart(rig.daemon(), rig.options))
        expect(told(error)).toContain('launchd could not run it (78: EX_CONFIG)')
        renameSync(`${program}.away`, program)
        const { pid } = await rig.platform().install(rig.daemon(), rig.options)
        expect(await runsIn(GUI)).toBe(pid)
      })
    })

    test('does not read the plist at kickstart: a changed one is read by bootstrap', async () => {
      await running()
      const { pid, updated, stopped } = await rig.platform().restart(rig.daemon('second'), rig.options)
      expect({ updated, stopped }).toEqual({ updated: rig.names.file, stopped: 'exited' })
      expect(rig.starts().at(-1)).toEqual({ pid, version: 'second' })
      expect(await asked()).not.toContain('kickstart')
      await rig.platform().restart(rig.daemon('second'), rig.options)
      const log = await asked()
      expect(log).toContain('kickstart')
      expect(log).not.toContain('bootout')
    })

    test('loads it and never starts it: kickstart does', async () => {
      expect(await running({ noRunAtLoad: true })).toBe(await runsIn(GUI))
      expect(words.some((line) => line.startsWith('kickstart '))).toBe(true)
    })

    test('exits 0 from load and shows a live job with an old signal: neither is believed', async () => {
      const pid = await running()
      expect(await rig.fake.launchctl('load', rig.names.file)).toMatchObject({
        code: 0,
        stderr: /Load failed: 5/,
      })
      await rig.fake.launchctl('kill', 'SIGTERM', `${GUI}/${rig.names.label}`)
      const other = async () => (await rig.fake.jobs()).find((job) => job.pid !== null && job.pid !== pid)
      await until(other)
      expect(await rig.fake.launchctl('list', rig.names.label)).toMatchObject({
        stdout: /"LastExitStatus" = 15;/,
      })
      expect((await rig.platform().status()).state).toBe('running')
    })

    test('starts a daemon that crashes again and again: told, and ended by stop', async () => {
      await running()
      rig.behave('exit 3')
      await rig.fake.launchctl('kill', 'SIGKILL', `${GUI}/${rig.names.label}`)
      const crashes = async () => (rig.starts().length > 3 ? true : undefined)
      expect(await waitFor(crashes, { timeoutMs: 30_000 })).toBe(true)
      const restarting = async () => {
        const status = await rig.platform().status()
        return status.state === 'restarting' && status.reason!.includes('code 3') ? status : undefined
      }
      const status = await waitFor(restarting, { timeoutMs: 30_000 })
      expect(status?.reason).toMatch(
        /^It ended, and launchd starts it again: Process exited with code 3, started \d+ times so far$/,
      )
      expect(status?.restarts).toBeGreaterThan(2)
      await rig.platform().stop()
      expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
    })

    test('starts again what was killed, but not what was stopped', async () => {
      const before = await running()
      process.kill(before, 'SIGTERM')
      const again = async () => (await rig.fake.jobs()).find(({ pid }) => pid !== null && pid !== before)
      expect(await waitFor(again, { timeoutMs: 30_000 })).toBeDefined()
      expect(await rig.platform().status()).toMatchObject({ state: 'running', restarts: 1 })
      expect(await rig.platform().stop()).toBe('exited')
      const { length } = rig.starts()
      await rig.platform().status()
      expect(rig.starts()).toHaveLength(length)
      expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
    })

    test('leaves down what exits with 0, and starts it again when asked', async () => {
      const pid = await running()
      rig.behave('exit 0')
      process.kill(pid, 'SIGKILL')
      const down = async () => ((await rig.platform().status()).state === 'stopped' ? true : undefined)
      expect(await waitFor(down, { timeoutMs: 30_000 })).toBe(true)
      const { reason } = await rig.platform().status()
      expect(reason).toBe(
        'It stays down: Process exited with code 0, by which it asks not to be started again',
      )
      rig.behave('good')
      const started = await rig.platform().start(rig.daemon(), rig.options)
      expect(await runsIn(GUI)).toBe(started.pid)
    })

    describe('can’t run it', () => {
      test('because the program is gone', async () => {
        await rigWith()
        const daemon = rig.daemon('first', path.join(rig.home, 'nowhere'))
        const error = await errorOf(rig.platform().install(daemon, rig.options))
        expect(error.code).toBe('SERVICE_MANAGER_FAILED')
        expect(told(error)).toContain('launchd could not run it (78: EX_CONFIG)')
        expect(await rig.state()).toEqual(NOTHING)
      })

      test('because it lies in a folder that macOS protects', async () => {
        await rigWith()
        const folder = path.join(rig.home, 'Documents')
        await rig.fake.set({ protectedFolder: folder })
        const program = path.join(folder, 'agent')
        mkdirSync(folder)
        symlinkSync(rig.daemon().command[0], program)
        const { warnings } = await rig.platform().plan(rig.daemon('first', program))
        expect(warnings).toEqual([expect.stringContaining('which macOS keeps background programs out of')])
        const error = await errorOf(rig.platform().install(rig.daemon('first', program), rig.options))
        expect(told(error)).toContain('which macOS keeps background programs out of')
        expect(told(error)).toContain('Full Disk Access')
        expect(await rig.state()).toEqual(NOTHING)
      })
    })

    describe('is told in System Settings not to start it', () => {
      test.for([5, 119] as const)(
        'and says %i: where to allow it is said, and nothing is left',
        async (forbidden) => {
          await rigWith({ forbidden })
          const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
          expect(error.message).toBe('macOS is told not to run it in the background')
          expect(error.hints[0]).toContain('System Settings › General › Login Items')
          expect(await rig.state()).toEqual(NOTHING)
        },
      )

      test('while it runs: status says that it won’t start by itself', async () => {
        const pid = await running()
        await rig.fake.set({ forbidden: 5 })
        const { notes, ...status } = await rig.platform().status()
        expect(status).toMatchObject({ state: 'running', pid, autostart: 'never' })
        expect(notes?.[0]).toContain('Login Items')
      })
    })

    describe('an answer of launchctl that', () => {
      test.for(['garbled', 'cut short'] as const)('is %s is unknown, and never stopped', async (print) => {
        const pid = await running()
        await rig.fake.set({ print })
        expect(await rig.platform().status()).toMatchObject({ state: 'unknown', installed: true })
        for (const act of ['stop', 'uninstall'] as const) {
          const error = await errorOf(rig.platform()[act]())
          expect(error.message).toContain('gives an answer that can’t be read')
        }
        expect(await runsIn(GUI)).toBe(pid)
      })

      test('is that of an old macOS is read', async () => {
        const pid = await running({ print: 'as on Mojave' })
        expect(await rig.platform().status()).toMatchObject({ state: 'running', pid })
        const { change } = await rig.platform().install(rig.daemon(), rig.options)
        expect(change).toBe('unchanged')
        expect(await rig.platform().stop()).toBe('exited')
        expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
      })

      test('has no environment, so no mark: a bootstrap that was taken is proof enough, and nothing goes in circles', async () => {
        const pid = await running({ print: 'without environment' })
        expect(await rig.platform().status()).toMatchObject({ state: 'running', pid, notes: [] })
        const again = await rig.platform().install(rig.daemon(), rig.options)
        expect(again).toMatchObject({ change: 'unchanged', pid })
        expect((await asked()).filter((word) => !word.startsWith('print'))).toEqual([])

        const changed = await rig.platform().install(rig.daemon('second'), rig.options)
        expect(changed.change).toBe('updated')
        expect(changed.pid).not.toBe(pid)
        const acts = (await asked()).filter((word) => !word.startsWith('print'))
        // On a busy machine the job may not run yet when it is looked at, and is asked to.
        if (acts.at(-1) === 'kickstart') acts.pop()
        expect(acts).toEqual(['bootout', 'enable', 'bootstrap'])
        expect(await runsIn(GUI)).toBe(changed.pid)

        const { updated, stopped } = await rig.platform().restart(rig.daemon(), rig.options)
        expect({ updated, stopped }).toEqual({ updated: rig.names.file, stopped: 'exited' })
        rig.behave('exit 1')
        const error = await errorOf(rig.platform().install(rig.daemon('third'), rig.options))
        expect(error.code).toBe('DAEMON_FAILED')
        expect(readFileSync(rig.names.file, 'utf8')).toBe(plistText(rig.daemon(), rig.names.label))
      })

      test('does not come is unknown too', async () => {
        const pid = await running({ hangs: [] })
        await rig.fake.set({ hangs: ['print'] })
        const platform = rig.platform({ askMs: 200 })
        expect(await platform.status()).toMatchObject({ state: 'unknown', reason: /gave no answer in time/ })
        expect((await errorOf(platform.stop())).message).toContain('gave no answer in time')
        expect((await errorOf(platform.restart(rig.daemon(), rig.options))).message).toContain('no answer')
        expect(await runsIn(GUI)).toBe(pid)
      })

      test('is none, since there is no such program, is unknown as well', async () => {
        const pid = await running()
        const platform = rig.platform({}, { PATH: '/nonexistent' })
        expect(await platform.status()).toMatchObject({
          state: 'unknown',
          reason: /there is no such program/,
        })
        expect((await errorOf(platform.uninstall())).code).toBe('SERVICE_MANAGER_FAILED')
        expect(await runsIn(GUI)).toBe(pid)
      })
    })

    describe('whatever a call answers, what is so counts', () => {
      test.for(['enable', 'bootstrap', 'kickstart', 'bootout', 'kill', 'print-disabled'])(
        '%s does it and hangs',
        async (verb) => {
          const before = await running()
          await rig.fake.set({ hangsAfter: [verb] })
          const { pid } = await rig.platform().restart(rig.daemon('second'), rig.options)
          expect(pid).not.toBe(before)
          expect(await runsIn(GUI)).toBe(pid)
          await rig.platform().restart(rig.daemon('second'), rig.options)
          await runsIn(GUI)
          await rig.platform().uninstall()
          expect(await rig.state()).toEqual(NOTHING)
        },
      )

      test.for([
        ['bootout', 3],
        ['bootout', 36],
        ['bootout', 5],
        ['kickstart', 37],
        ['kickstart', 113],
        ['kill', 3],
        ['enable', 125],
        ['print', 113],
        ['print-disabled', 125],
      ] as const)('%s fails once with %i', async ([verb, code]) => {
        await running()
        await rig.fake.set({ fails: { [verb]: { code, times: 1 } } })
        await rig
          .platform()
          .restart(rig.daemon(), rig.options)
          .catch(() => {})
        await rig.platform().restart(rig.daemon('second'), rig.options)
        const pid = await runsIn(GUI)
        expect(rig.starts().at(-1)).toEqual({ pid, version: 'second' })
        await rig.platform().uninstall()
        expect(await rig.state()).toEqual(NOTHING)
      })

      test.for(['enable', 'kickstart', 'kill'])('%s says yes and does nothing', async (verb) => {
        await running()
        await rig.fake.set({ lies: [verb] })
        const { pid } = await rig.platform().restart(rig.daemon(), rig.options)
        expect(await runsIn(GUI)).toBe(pid)
      })
    })

    test('a job that won’t end by SIGTERM is killed, and that is said', async () => {
      await rigWith()
      rig.behave('stubborn')
      await rig.platform().install(rig.daemon(), rig.options)
      const { stopped } = await rig.platform().restart(rig.daemon(), rig.options)
      expect(stopped).toBe('killed')
      expect(await rig.platform().stop()).toBe('killed')
      expect(await rig.state()).toEqual({ ...NOTHING, plist: true })
    })

    test('a daemon of another version that ends at once gives way to the one before', async () => {
      await running()
      const bad = path.join(rig.home, 'bad')
      writeFileSync(bad, '#!/bin/sh\nexit 4\n', { mode: 0o755 })
      const error = await errorOf(rig.platform().install(rig.daemon('second', bad), rig.options))
      expect(error).toMatchObject({
        code: 'DAEMON_FAILED',
        message: 'Daemon failed to start: Process exited with code 4',
      })
      const pid = await runsIn(GUI)
      expect(error.hints.at(-1)).toBe(`What ran before runs again (PID: ${pid}).`)
    })

    test('a plist that someone has edited is kept beside, written anew and read', async () => {
      await running()
      const edited = readFileSync(rig.names.file, 'utf8').replace('<integer>10<', '<integer>1<')
      writeFileSync(rig.names.file, edited)
      const { notes } = await rig.platform().status()
      expect(notes).toEqual(['The plist was changed since launchd has read it. Run: connect daemon restart'])
      const { change } = await rig.platform().install(rig.daemon(), rig.options)
      expect(change).toBe('updated')
      const old = path.join(rig.instance.folder, `${rig.names.label}.plist.old`)
      expect(readFileSync(old, 'utf8')).toBe(edited)
      expect((await rig.platform().status()).notes).toEqual([])
    })

    test('a plist that is a link is someone else’s', async () => {
      await rigWith()
      mkdirSync(rig.names.folder, { recursive: true })
      symlinkSync('/nix/store/agent.plist', rig.names.file)
      const error = await errorOf(rig.platform().install(rig.daemon(), rig.options))
      expect(error.code).toBe('INSTALL_UNSUPPORTED')
      expect(error.message).toContain('is a link to /nix/store/agent.plist')
    })

    test('a job whose plist was removed by hand is found, and uninstalled', async () => {
      const pid = await running()
      rmSync(rig.names.file)
      const { notes, ...status } = await rig.platform().status()
      expect(status).toMatchObject({ state: 'running', pid, installed: false })
      expect(notes).toEqual(['The plist is gone. Run: connect daemon install'])
      expect(await rig.platform().uninstall()).toBeDefined()
      expect(await rig.state()).toEqual(NOTHING)
    })

    test('a plist that others could write to is not what launchd gets', async () => {
      await running()
      chmodSync(rig.names.file, 0o666)
      await rig.platform().stop()
      await rig.platform().start(rig.daemon(), rig.options)
      await runsIn(GUI)
    })

    test('folders that install has made are gone after uninstall, others stay', async () => {
      await rigWith()
      const library = path.join(rig.home, 'Library')
      await rig.platform().install(rig.daemon(), rig.options)
      await rig.platform().uninstall()
      expect(existsSync(library)).toBe(false)
      mkdirSync(library)
      await rig.platform().install(rig.daemon(), rig.options)
      await rig.platform().uninstall()
      expect(existsSync(library)).toBe(true)
      expect(existsSync(rig.names.folder)).toBe(false)
    })
  },
)
