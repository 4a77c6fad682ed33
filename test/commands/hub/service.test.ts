import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { describe, expect, onTestFinished, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { hubStatus } from '../../../src/hub/control/client.ts'
import { identify } from '../../../src/process/identity.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { connect, connectOk, startConnect } from '../../helpers/cli.ts'
import type { Home } from '../../helpers/home.ts'
import { serveTcp } from '../../helpers/servers.ts'

const FREE = ['--listen', '127.0.0.1:0']

const settingsIn = (home: Home): unknown => JSON.parse(readFileSync(home.file('hub/config.json'), 'utf8'))
const pidIn = (output: string) => Number(/PID: (\d+)/.exec(output)?.[1])
const listenIn = (output: string) => /Listens on: (\S+)/.exec(output)?.[1]

async function statusOf(home: Home): Promise<Record<string, unknown>> {
  return JSON.parse(await connectOk(home, ['hub', 'status', '--json'])) as Record<string, unknown>
}

async function started(name: string): Promise<{ home: Home; pid: number; listen: string }> {
  const home = emptyHome(name)
  const output = await connectOk(home, ['hub', 'start', ...FREE])
  return { home, pid: pidIn(output), listen: listenIn(output)! }
}

describe('hub start', () => {
  test('prints its lines to the letter, and the hub answers', async () => {
    const home = emptyHome('start')
    const { code, stdout, stderr } = await connect(home, ['hub', 'start', ...FREE])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    const pid = pidIn(stdout)
    const { listen } = (await hubStatus(hubInstance({}, home.folder)))!
    expect(stdout).toBe(
      '🚀 Starting hub in background...\n\n' +
        `[ok] Hub started (PID: ${pid})\n` +
        '  Logs: ~/.privateconnect/hub/hub.log\n' +
        `  Listens on: ${listen}\n` +
        `  Address on this machine: https://${listen}\n`,
    )
    expect(readFileSync(home.file('hub/hub.pid'), 'utf8')).toBe(`${pid}\n`)
    expect(statSync(home.file('hub')).mode & 0o777).toBe(0o700)
  })

  test('keeps the flags that it is given, leaves those of before, and leaves a hub with the same alone', async () => {
    const { home, pid, listen } = await started('flags')
    const output = await connectOk(home, ['hub', 'start'])
    expect(output).toMatch(`[ok] Hub already running (PID: ${pid})\n`)
    expect(listenIn(output)).toBe(listen)
    expect(settingsIn(home)).toEqual({ version: 1, listen: '127.0.0.1:0' })
    await connectOk(home, ['hub', 'stop'])
    await connectOk(home, ['hub', 'start', '--url', 'https://hub.example.com'])
    expect(settingsIn(home)).toEqual({ version: 1, listen: '127.0.0.1:0', url: 'https://hub.example.com' })
    expect(await statusOf(home)).toMatchObject({ url: 'https://hub.example.com' })
    await connectOk(home, ['hub', 'start', '--reset', ...FREE])
    expect(settingsIn(home)).toEqual({ version: 1, listen: '127.0.0.1:0' })
  })

  test('speaks plain http only if told so, and says that a reverse proxy may need it', async () => {
    const home = emptyHome('proxied')
    const { stdout, stderr } = await connect(home, ['hub', 'start', ...FREE, '--url', 'hub.example.com'])
    expect(stderr).toBe(
      '[!] The hub speaks HTTPS by a certificate of its own. A reverse proxy that shows another for https://hub.example.com needs plain http. Run: connect hub start --plain-http\n',
    )
    await expect(fetch(`http://${listenIn(stdout)}/healthz`)).rejects.toThrow()
    const again = JSON.parse(await connectOk(home, ['hub', 'start', '--json'])) as { warnings: string[] }
    expect(again.warnings).toEqual([stderr.slice('[!] '.length, -1)])
    const plain = await connect(home, ['hub', 'start', '--plain-http'])
    expect(plain.stderr).toBe('')
    expect(settingsIn(home)).toMatchObject({ plainHttp: true, url: 'hub.example.com' })
    expect(await (await fetch(`http://${listenIn(plain.stdout)}/healthz`)).json()).toEqual({ ok: true })
  })

  test('with other flags starts a hub anew that runs', async () => {
    const { home, pid } = await started('anew')
    const report = JSON.parse(
      await connectOk(home, ['hub', 'start', '--listen', '[::1]:0', '--json']),
    ) as Record<string, unknown>
    expect(report).toMatchObject({ outcome: 'started', stopped: 'exited', updated: null, version: '0.1.0' })
    expect(report.listen).toMatch(/^\[::1\]:\d+$/)
    expect(identify(pid)).toBeUndefined()
  })

  test('that fails leaves the settings as they were, and the hub of before runs again', async () => {
    const { home } = await started('undone')
    const taken = await serveTcp(() => {})
    onTestFinished(() => taken.close())
    const { code, stderr } = await connect(home, ['hub', 'start', '--listen', `127.0.0.1:${taken.port}`])
    expect(code).toBe(1)
    expect(stderr).toMatch(/^\[x\] Hub failed to start: /)
    expect(stderr).toContain(`Port ${taken.port} of 127.0.0.1 is in use`)
    const again = Number(/It runs again with the settings of before \(PID: (\d+)\)/.exec(stderr)?.[1])
    expect(settingsIn(home)).toEqual({ version: 1, listen: '127.0.0.1:0' })
    expect(await statusOf(home)).toMatchObject({ status: 'running', pid: again })
  })

  test('that fails the first time leaves no settings behind', async () => {
    const home = emptyHome('first')
    const taken = await serveTcp(() => {})
    onTestFinished(() => taken.close())
    const { code, stderr } = await connect(home, ['hub', 'start', '--listen', `127.0.0.1:${taken.port}`])
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('settings are as before'),
    })
    expect(existsSync(home.file('hub/config.json'))).toBe(false)
    expect(await statusOf(home)).toMatchObject({ status: 'stopped' })
  })

  test('of what no hub can be run with is refused before anything is changed', async () => {
    const { home, pid } = await started('refused')
    const refused = async (...flags: string[]) => {
      const { code, stderr } = await connect(home, ['hub', 'start', ...flags])
      return [code, stderr.split('\n')[0]]
    }
    expect(await refused('--listen', 'nonsense')).toEqual([2, '[x] "nonsense" is not [HOST:]PORT'])
    expect(await refused('--tls-cert', 'x.pem')).toEqual([2, '[x] --tls-cert is of no use without --tls-key'])
    expect(await refused('--plain-http', '--listen', '0.0.0.0:0')).toEqual([
      1,
      '[x] Other machines reach 0.0.0.0:0, and --plain-http is for loopback',
    ])
    expect(await refused('--url', 'http://localhost')).toEqual([
      2,
      '[x] The hub speaks HTTPS, and http://localhost is plain http',
    ])
    const missing = await refused('--tls-cert', '/nowhere.pem', '--tls-key', '/nowhere.key')
    expect(missing).toEqual([1, expect.stringContaining('/nowhere.pem')])
    expect(await statusOf(home)).toMatchObject({ pid })
    expect(settingsIn(home)).toEqual({ version: 1, listen: '127.0.0.1:0' })
  })

  test('ten at once start one hub', async () => {
    const home = emptyHome('ten')
    const outputs = await Promise.all(
      Array.from({ length: 10 }, () => connectOk(home, ['hub', 'start', ...FREE])),
    )
    expect(new Set(outputs.map(pidIn)).size).toBe(1)
    expect(outputs.filter((output) => output.includes('[ok] Hub started'))).toHaveLength(1)
  })

  test('with another data folder is refused while the hub runs, and said how', async () => {
    const other = path.join(scratchFolder(), 'data')
    const { home, pid } = await started('moved')
    const { code, stderr } = await connect(home, ['hub', 'start', '--data-dir', other])
    expect(code).toBe(1)
    expect(stderr).toBe(
      `[x] The hub runs on ~/.privateconnect/hub (PID: ${pid})\n` +
        '  To give it another data folder, stop it first: connect hub stop\n',
    )
    await connectOk(home, ['hub', 'stop'])
    expect(await connect(home, ['hub', 'start', '--data-dir', other])).toMatchObject({
      code: 0,
      stderr:
        '[!] The data of before stays in ~/.privateconnect/hub: machines that have joined the hub there are not known here\n',
    })
    expect(await statusOf(home)).toMatchObject({ status: 'running', folder: other })
    await connectOk(home, ['hub', 'stop'])
    expect([home.file('hub'), other].map((folder) => existsSync(path.join(folder, 'hub.db')))).toEqual([
      true,
      true,
    ])
    // The same folder by another name.
    const link = `${other}-link`
    symlinkSync(other, link)
    expect(await connect(home, ['hub', 'start', '--data-dir', link])).toMatchObject({ code: 0, stderr: '' })
  })
})

test('of two starts at once with other data each, one is refused', async () => {
  const folder = scratchFolder()
  const home = emptyHome('two')
  const results = await Promise.all(
    ['one', 'other'].map((name) =>
      connect(home, ['hub', 'start', ...FREE, '--data-dir', path.join(folder, name)]),
    ),
  )
  expect(results.filter(({ code }) => code === 0)).toHaveLength(1)
  expect(results.find(({ code }) => code === 1)!.stderr).toContain('stop it first: connect hub stop')
  const { dataDir } = settingsIn(home) as { dataDir: string }
  expect(await statusOf(home)).toMatchObject({ status: 'running', folder: dataDir })
  await connectOk(home, ['hub', 'stop'])
})

test.each([
  ['hub', 'start', ...FREE],
  ['hub', ...FREE],
  ['hub', 'token', 'create'],
  ['hub', 'restore', 'backup'],
])('%s %s closes no folder to others that holds other things', async (...args) => {
  const folder = scratchFolder()
  writeFileSync(path.join(folder, 'site.html'), '')
  chmodSync(folder, 0o755)
  const { code, stderr } = await connect(emptyHome(), [...args, '--data-dir', folder])
  expect({ code, stderr }).toEqual({
    code: 2,
    stderr:
      `[x] ${folder} holds other things, and a hub would close it to all other users\n` +
      `  Give the hub a folder of its own: --data-dir ${folder}/hub\n`,
  })
  expect(statSync(folder).mode & 0o777).toBe(0o755)
  expect(readdirSync(folder)).toEqual(['site.html'])
})

test('hub restart gives another process, and stop none', async () => {
  const { home, pid } = await started('restart')
  const restarted = await connectOk(home, ['hub', 'restart'])
  expect(restarted).toMatch(/^\[ok\] Hub stopped\n\[ok\] Hub started\n {2}PID: \d+\n {2}Listens on: /)
  const next = pidIn(restarted)
  expect(identify(pid)).toBeUndefined()
  expect(await connectOk(home, ['hub', 'stop'])).toBe('[ok] Hub stopped\n')
  expect(identify(next)).toBeUndefined()
  expect(await connectOk(home, ['hub', 'stop'])).toBe('The hub was not running: there is nothing to stop\n')
  expect(existsSync(home.file('hub/hub.pid'))).toBe(false)
})

test('hub status tells of a hub that runs, that was killed and that is there no more', async () => {
  const { home, pid, listen } = await started('status')
  expect(await statusOf(home)).toMatchObject({
    status: 'running',
    pid,
    listen,
    installed: false,
    manager: { name: 'background' },
    machines: { joined: 0, online: 0 },
    unsaved: null,
    drift: [],
    notes: [],
  })
  process.kill(pid, 'SIGKILL')
  await expect.poll(() => identify(pid)).toBeUndefined()
  const { stdout } = await connect(home, ['hub', 'status', '--check'])
  expect(stdout).toMatch(/○ Status: stopped\n {4}\(cleaned up stale PID file\)/)
  expect(stdout).toContain('Last exit: it ended without a word: killed, or crashed')
  expect(stdout).toContain('To start it: connect hub start')
  expect((await connect(home, ['hub', 'status', '--check'])).code).toBe(1)
  expect((await connect(home, ['hub', 'status', '--wait', '1s'])).code).toBe(1)
})

test('in a home where nothing has happened nothing is made by looking, stopping or removing', async () => {
  const home = emptyHome('nothing')
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', installed: false, foregroundPid: null })
  expect(await connectOk(home, ['hub', 'logs'])).toBe('No logs yet\n')
  await connectOk(home, ['hub', 'stop'])
  expect(await connectOk(home, ['hub', 'uninstall'])).toBe(
    'The hub is not installed as a service: there is nothing to remove\n',
  )
  expect(existsSync(home.file('hub'))).toBe(false)
})

test('hub logs shows what the hub has written', async () => {
  const { home } = await started('logs')
  const output = await connectOk(home, ['hub', 'logs'])
  expect(output).toMatch(/^📋 Hub Logs \(~\/\.privateconnect\/hub\/hub\.log\)\n/)
  expect(output).toMatch(/Hub listening on https:\/\/127\.0\.0\.1:\d+\n/)
})

test('a hub in the foreground is left alone, and told; it does not begin beside one that is kept', async () => {
  const home = emptyHome('foreground')
  const foreground = startConnect(home, ['hub', ...FREE])
  onTestFinished(() => foreground.kill('SIGTERM'))
  await foreground.printed(/Hub listening/)
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', foregroundPid: foreground.pid })
  const refused = await connect(home, ['hub', 'start'])
  expect(refused.code).toBe(1)
  expect(refused.stderr).toBe(
    `[x] A hub runs in the foreground (PID: ${foreground.pid})\n` +
      '  End it with Ctrl-C where it runs, then run: connect hub start\n',
  )
  const stopped = await connectOk(home, ['hub', 'stop'])
  expect(stopped).toContain(`A hub runs in the foreground (PID: ${foreground.pid})`)
  foreground.kill('SIGINT')
  await foreground.exited
  const pid = pidIn(await connectOk(home, ['hub', 'start', ...FREE]))
  const beside = await connect(home, ['hub'])
  expect(beside.code).toBe(1)
  expect(beside.stderr).toBe(
    `[x] A hub is kept running on ~/.privateconnect/hub already (PID: ${pid})\n` +
      '  See how it stands: connect hub status\n' +
      '  For another one beside it give another --data-dir and --listen.\n',
  )
})

test('settings that are damaged are told, and nothing is started with others', async () => {
  const home = emptyHome('damaged')
  mkdirSync(home.file('hub'), { recursive: true, mode: 0o700 })
  writeFileSync(home.file('hub/config.json'), '{"version":1,"listen":7700}', { mode: 0o600 })
  for (const command of ['start', 'status', 'stop', 'install']) {
    const { code, stderr } = await connect(home, ['hub', command, '--json']).then((result) => ({
      code: result.code,
      stderr: result.stdout,
    }))
    expect({ code, stderr }).toMatchObject({
      code: 1,
      stderr: expect.stringContaining('HUB_SETTINGS_DAMAGED'),
    })
  }
  expect(readdirSync(home.file('hub'))).toEqual(['config.json'])
})

test('files of its process that are damaged do not hide a hub that runs, nor keep the next one down', async () => {
  const { home, pid } = await started('spoilt')
  const spoil = () => {
    writeFileSync(home.file('hub/hub.process.json'), '{"pid":')
    writeFileSync(home.file('hub/hub.pid'), '1\n')
  }
  spoil()
  expect(await statusOf(home)).toMatchObject({ status: 'running', pid })
  expect(await connectOk(home, ['hub', 'stop'])).toBe('[ok] Hub stopped\n')
  expect(identify(pid)).toBeUndefined()
  spoil()
  expect(await statusOf(home)).toMatchObject({ status: 'stopped', pid: null })
  expect(await connectOk(home, ['hub', 'start'])).toContain('[ok] Hub started')
})

test('settings that others can change are not believed', async () => {
  const { home, pid } = await started('changeable')
  chmodSync(home.file('hub/config.json'), 0o666)
  for (const action of ['start', 'restart', 'status', 'stop']) {
    const { code, stderr } = await connect(home, ['hub', action])
    expect({ code, stderr }).toEqual({
      code: 1,
      stderr:
        '[x] ~/.privateconnect/hub/config.json can be changed by other users (mode 666)\n' +
        `  Run: chmod go-w ${home.file('hub/config.json')}\n`,
    })
  }
  chmodSync(home.file('hub/config.json'), 0o600)
  expect(await statusOf(home)).toMatchObject({ status: 'running', pid })
})

test('a stop that comes while the hub starts waits for that, and then stops it', async () => {
  const home = emptyHome('both')
  const starting = startConnect(home, ['hub', 'start', ...FREE])
  await expect
    .poll(() => existsSync(home.file('hub/hub.process.json')), { timeout: 30_000, interval: 5 })
    .toBe(true)
  expect(await connectOk(home, ['hub', 'stop'])).toBe('[ok] Hub stopped\n')
  expect(await starting.exited).toMatchObject({ code: 0 })
  expect(await statusOf(home)).toMatchObject({ status: 'stopped' })
})
