import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { background } from '../../../src/platforms/background/description.ts'
import { platformConformance } from '../../../src/platforms/conformance/conformance.ts'
import { stepless } from '../../../src/platforms/conformance/harness/drive.ts'
import type { ConformanceOptions } from '../../../src/platforms/conformance/harness/options.ts'
import { TestHub } from '../../../src/platforms/conformance/harness/test-hub.ts'
import { checksFor, runCheck } from '../../../src/platforms/conformance/run-check.ts'
import type {
  PlatformContext,
  PluginDescription,
  PluginPlatform,
  Stepless,
} from '../../../src/platforms/platform.ts'
import { identify } from '../../../src/process/identity.ts'
import { runFixture } from '../../fixtures/run-fixture.ts'
import { until } from '../../helpers/until.ts'
import { testVariations } from '../../helpers/variations.ts'

const plugin = new URL('../../fixtures/plugin-platform/platforms.js', import.meta.url)
const { testinit } = (await import(plugin.href)) as { testinit: PluginDescription }

/** What is wrong with a platform that is otherwise good. */
type Flaw = (good: Stepless, context: PlatformContext) => Partial<Stepless>

/** Methods live on the prototype, and use private fields: so they are called on the good one. */
function flawed(description: PluginDescription, flaw: Flaw): PluginDescription {
  return {
    ...description,
    apiVersion: 1,
    async load(context) {
      const platform = await description.load(context)
      const good =
        description.apiVersion === 2 ? stepless(platform as PluginPlatform) : (platform as Stepless)
      return {
        install: (daemon, options) => good.install(daemon, options),
        uninstall: () => good.uninstall(),
        start: (daemon, options) => good.start(daemon, options),
        stop: () => good.stop(),
        status: () => good.status(),
        ...flaw(good, context),
      }
    },
  }
}

const backgroundWith = (flaw: Flaw) => ({ description: flawed(background, flaw), installable: false })
const testinitWith = (flaw: Flaw) => ({ description: flawed(testinit, flaw) })

const numberIn = (file: string) => Number(readFileSync(file, 'utf8'))

/** Each flaw, the check that finds it, and what that says. */
const FLAWS: [flaw: string, check: RegExp, says: RegExp, options: ConformanceOptions][] = [
  [
    'a summary that says nothing',
    /^the description/,
    /summary must be a text/,
    { description: { ...background, summary: ' ' }, installable: false },
  ],
  [
    'a probe that gives no reason',
    /^probe/,
    /probe\(\) must give a reason/,
    {
      description: { ...background, probe: async () => ({ available: false, reason: '' }) },
      installable: false,
    },
  ],
  [
    'an isInstalled that always says yes',
    /^in an empty home/,
    /isInstalled\(\) must be false/,
    { description: { ...background, isInstalled: async () => true }, installable: false },
  ],
  [
    'a status that writes a file',
    /^in an empty home/,
    /must change nothing on disk; found: .*touched/,
    backgroundWith((good, { env }) => ({
      async status() {
        writeFileSync(path.join(String(env.HOME), 'touched'), '')
        return good.status()
      },
    })),
  ],
  [
    'an install that pretends',
    /^install\(\) fails with/,
    /install\(\) must fail/,
    backgroundWith(() => ({ install: async () => {} })),
  ],
  [
    'a start that returns a wrong pid',
    /^start\(\) returns the agent’s own pid/,
    /start\(\) must return the agent’s own pid/,
    backgroundWith((good) => ({
      async start(daemon, options) {
        return { ...(await good.start(daemon, options)), pid: process.pid }
      },
    })),
  ],
  [
    'a start that says ready too soon',
    /^start\(\) with a hub that is not there/,
    /must not say ready/,
    backgroundWith((good) => ({
      async start(daemon, options) {
        return { ...(await good.start(daemon, options)), ready: true }
      },
    })),
  ],
  [
    'a start that splits arguments at spaces',
    /^all of it works in a home folder/,
    /./,
    backgroundWith((good) => ({
      start: (daemon, options) =>
        good.start({ ...daemon, command: daemon.command.join(' ').split(' ') as [string] }, options),
    })),
  ],
  [
    'a start that adds an argument of its own',
    /^start\(\) returns the agent’s own pid/,
    /must run exactly daemon\.command/,
    backgroundWith((good) => ({
      start({ command: [program, ...args], ...daemon }, options) {
        return good.start({ ...daemon, command: [program, '--no-warnings', ...args] }, options)
      },
    })),
  ],
  [
    'a start that tells of no crash',
    /exits with code 1 fails with DAEMON_FAILED/,
    /start\(\) must fail when the daemon exits with code 1/,
    backgroundWith((good) => ({
      start: (daemon, options) => good.start(daemon, options).catch(() => ({ pid: 1, ready: false })),
    })),
  ],
  [
    'a crash without its code',
    /exits with code 78 fails with DAEMON_FAILED/,
    /must say that the daemon exits with code 78/,
    backgroundWith((good) => ({
      start: (daemon, options) =>
        good.start(daemon, options).catch((error: unknown) => {
          throw Object.assign(new Error('It crashed'), { code: 'DAEMON_FAILED', cause: error })
        }),
    })),
  ],
  [
    'a startedAt from another day',
    /^start\(\) returns the agent’s own pid/,
    /the time of this start/,
    backgroundWith((good) => ({
      status: async () => ({ ...(await good.status()), startedAt: '2020-01-01T00:00:00Z' }),
    })),
  ],
  [
    'a log that is begun anew',
    /is ended by SIGKILL/,
    /logFile must be appended to/,
    backgroundWith((good, { instance }) => ({
      async start(daemon, options) {
        try {
          return await good.start(daemon, options)
        } finally {
          writeFileSync(instance.logFile, '')
        }
      },
    })),
  ],
  [
    'a stop that returns before the process is gone',
    /^stop\(\) ends the agent by itself/,
    /must return after the process is gone/,
    backgroundWith((good, { instance }) => ({
      async stop() {
        if ((await good.status()).state !== 'running') return undefined
        const pid = numberIn(instance.pidFile)
        // However soon it would be gone: it is there until it goes on.
        process.kill(pid, 'SIGSTOP')
        process.kill(pid, 'SIGTERM')
        setTimeout(() => identify(pid) && process.kill(pid, 'SIGCONT'), 500)
        return 'exited'
      },
    })),
  ],
  [
    'a stop that kills at once',
    /^stop\(\) ends the agent by itself/,
    /must get SIGTERM first/,
    backgroundWith((good) => ({
      async stop() {
        const { state, pid } = await good.status()
        if (state !== 'running') return undefined
        process.kill(pid!, 'SIGKILL')
        await until(async () => (await good.status()).state === 'stopped', { timeoutMs: 5000 })
        return 'exited'
      },
    })),
  ],
  [
    'a stop that says exited for one that it killed',
    /ignores SIGTERM/,
    /must return killed/,
    backgroundWith((good) => ({ stop: async () => ((await good.stop()) ? 'exited' : undefined) })),
  ],
  [
    'a stop that signals whoever the PID file names',
    /^files that name a process/,
    /stop\(\) must leave strangers alone/,
    backgroundWith((good, { instance }) => {
      let named = 0
      return {
        async status() {
          if (existsSync(instance.pidFile)) named = numberIn(instance.pidFile)
          return good.status()
        },
        async stop() {
          const how = await good.stop()
          if (how === undefined && named > 0) process.kill(named, 'SIGKILL')
          return how
        },
      }
    }),
  ],
  [
    'a status that trusts the PID file',
    /^files that name a process/,
    /must say stopped when daemon\.pid and agent\.json name another program/,
    backgroundWith((good, { instance }) => ({
      async status() {
        if (!existsSync(instance.pidFile)) return good.status()
        return { state: 'running', pid: numberIn(instance.pidFile), installed: false, autostart: 'never' }
      },
    })),
  ],
  [
    'a cleanedUp that is said each time',
    /^after kill -9/,
    /must not say cleanedUp when there was nothing left/,
    backgroundWith((good) => ({
      async status() {
        const status = await good.status()
        return status.state === 'stopped' ? { ...status, cleanedUp: true } : status
      },
    })),
  ],
  [
    'a stop that stops every instance',
    /^two instances side by side/,
    /after another instance was stopped/,
    (() => {
      const all: Stepless[] = []
      return backgroundWith((good) => {
        all.push(good)
        return {
          async stop() {
            const [how] = await Promise.all([good.stop(), ...all.map((one) => one.stop())])
            return how
          },
        }
      })
    })(),
  ],
  [
    'a unit that holds the whole environment',
    /^no secret/,
    /DATABASE_PASSWORD must not be written to a file/,
    testinitWith((good, { instance }) => ({
      install(daemon, options) {
        writeFileSync(path.join(instance.folder, 'unit'), JSON.stringify(daemon.env))
        return good.install(daemon, options)
      },
    })),
  ],
  [
    'an install that returns before the daemon runs',
    /^install\(\) twice/,
    /install\(\) did not start the daemon/,
    testinitWith((good) => {
      let later: Promise<unknown> | undefined
      return {
        async install(daemon, options) {
          later = good.install(daemon, options)
        },
        async uninstall() {
          await later
          return good.uninstall()
        },
      }
    }),
  ],
  [
    'an uninstall that leaves a file',
    /^uninstall\(\) leaves no process/,
    /must leave no file behind; found: .*left-over/,
    testinitWith((good, { env }) => ({
      install(daemon, options) {
        writeFileSync(path.join(String(env.HOME), 'left-over'), '')
        return good.install(daemon, options)
      },
    })),
  ],
  [
    'an uninstall that always says that it removed something',
    /^uninstall\(\) leaves no process/,
    /must return undefined when nothing is left to remove/,
    testinitWith((good) => ({
      async uninstall() {
        await good.uninstall()
        return true
      },
    })),
  ],
  [
    'an install that promises another start by itself than the status',
    /^install\(\) twice/,
    /install\(\) and status\(\) must say the same of autostart/,
    testinitWith((good) => ({
      async install(daemon, options) {
        await good.install(daemon, options)
        const { pid } = await good.status()
        return { pid: pid!, ready: true, change: 'created', autostart: 'boot', warnings: [] }
      },
    })),
  ],
  [
    'a daemon that is not started again',
    /^a daemon that is killed comes back/,
    /must be started again/,
    {
      ...backgroundWith((good) => ({
        install: async (daemon) =>
          void (await good.start(daemon, { isReady: async () => false, stableMs: 500 })),
      })),
      installable: true,
      restartWithinMs: 2000,
    },
  ],
  [
    'a stop that is undone by the service manager',
    /^a daemon that is killed comes back/,
    /must say stopped still, some time after stop\(\)|status\(\) must say stopped/,
    testinitWith((good) => {
      let again: Promise<unknown> | undefined
      return {
        async stop() {
          const how = await good.stop()
          const status = await good.status()
          if (how === undefined || !status.installed) return how
          again = new Promise((resolve) => setTimeout(resolve, 300)).then(() =>
            good.start(undefined as never, { isReady: async () => false, stableMs: 0 }),
          )
          return how
        },
        async uninstall() {
          await again
          return good.uninstall()
        },
      }
    }),
  ],
  [
    'a restart after exit code 78',
    /^a daemon that exits with code 78/,
    /with code 78 must not be started again|must say stopped/,
    testinitWith((good) => ({
      install({ command, ...daemon }, options) {
        const script = '"$@"; code=$?; [ $code != 78 ] || code=1; exit $code'
        return good.install({ ...daemon, command: ['/bin/sh', '-c', script, 'sh', ...command] }, options)
      },
    })),
  ],
]

describe('the suite finds', () => {
  let hub: TestHub
  beforeAll(async () => {
    hub = await TestHub.start()
  })
  afterAll(() => hub.close())

  testVariations(FLAWS)('%s', { timeout: 120_000 }, async ([, title, says, options]) => {
    const found = checksFor(options).filter((check) => title.test(check.title))
    expect(found).toHaveLength(1)
    await expect(runCheck(found[0]!, hub, options)).rejects.toThrow(says)
  })
})

test('it leaves out what does not apply, and has no two checks of one title', () => {
  const titles = (installable: boolean) =>
    platformConformance({ description: background, installable }).checks.map(({ title }) => title)
  for (const installable of [true, false]) {
    expect(new Set(titles(installable)).size).toBe(titles(installable).length)
  }
  expect(titles(false).join('\n')).not.toContain('uninstall()')
  expect(titles(true).join('\n')).not.toContain('INSTALL_UNSUPPORTED')
})

test('a bare script can run it to its end: whatever is waited for keeps the script going', async () => {
  const script = runFixture('run-conformance.ts', ['files that name a process'])
  expect({ ...(await script.exited), stderr: script.stderr }).toEqual({ code: 0, signal: null, stderr: '' })
  expect(script.stdout).toMatch(/^files that name a process/)
})
