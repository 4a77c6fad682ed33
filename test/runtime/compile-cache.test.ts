import {
  lutimesSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest'
import { connect, connectOk, root, startConnect } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { until } from '../helpers/until.ts'

const { version } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')) as { version: string }
const own = `${version}-node-${process.versions.node}`

let home: Home
let caches: string

beforeEach(() => {
  home = makeHome()
  caches = home.file('cache')
  onTestFinished(() => home.remove())
})

/** Has Node.js tell what it does with the cache. */
const TOLD = { NODE_DEBUG_NATIVE: 'COMPILE_CACHE' }

const DAY_MS = 24 * 60 * 60 * 1000

/** A cache that another version has left. @returns its folder */
function leave(name: string, options: { ageDays: number; files?: number }): string {
  const folder = path.join(caches, name)
  mkdirSync(path.join(folder, 'v20.0.0-x64-0123abcd-0'), { recursive: true })
  for (let file = 0; file < (options.files ?? 1); file++)
    writeFileSync(path.join(folder, 'v20.0.0-x64-0123abcd-0', `${file}`), 'code')
  const time = new Date(Date.now() - options.ageDays * DAY_MS)
  utimesSync(folder, time, time)
  return folder
}

const filesIn = (folder: string) =>
  readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => {
      const file = path.join(entry.parentPath, entry.name)
      return `${file} ${statSync(file).mtimeMs}`
    })
    .toSorted()

describe.skipIf(process.platform === 'win32')('the compile cache', () => {
  test('is warm the second time that a command runs', async () => {
    await connectOk(home, ['daemon', 'status'])
    expect(readdirSync(caches)).toEqual([own])
    expect(statSync(caches).mode & 0o777).toBe(0o700)
    const first = filesIn(caches)
    expect(first.length).toBeGreaterThan(3)
    await connectOk(home, ['daemon', 'status'])
    expect(filesIn(caches)).toEqual(first)
  })

  test('of a data command, which sets flags of V8, and that of the others are both warm', async () => {
    const listen = async () => {
      const hub = startConnect(home, ['hub', '--listen', '127.0.0.1:0'], { env: TOLD })
      await hub.printed(/Hub listening/)
      await hub.stop('SIGINT')
      return hub.output
    }
    const list = async () => (await connect(home, ['hub', 'agent', 'list'], { env: TOLD })).stderr
    const status = async () => (await connect(home, ['daemon', 'status'], { env: TOLD })).stderr
    for (const run of [status, listen, list]) await run()
    for (const run of [status, listen, list]) {
      const told = await run()
      expect(told).toMatch(/V8 code cache for .* was accepted/)
      expect(told).not.toMatch(/V8 code cache for .* was rejected/)
    }
  })

  test('is the only one that is left of several versions, but for what another uses today', async () => {
    leave('0.0.9-node-24.21.0', { ageDays: 2 })
    leave(`${version}-node-22.13.0`, { ageDays: 400 })
    leave('v24.21.0-x64-964aae3f-0', { ageDays: 2 })
    leave('0.0.8-node-24.21.0', { ageDays: 0 })
    await connectOk(home, ['daemon', 'status'])
    expect(readdirSync(caches).toSorted()).toEqual(['0.0.8-node-24.21.0', own])
  })

  test('leaves what is not one alone, and where a link leads', async () => {
    const elsewhere = path.join(home.folder, 'elsewhere')
    mkdirSync(elsewhere, { recursive: true })
    writeFileSync(path.join(elsewhere, 'precious'), 'mine')
    const inside = leave('0.0.9-node-24.21.0', { ageDays: 2 })
    symlinkSync(elsewhere, path.join(inside, 'link'))
    utimesSync(inside, new Date(0), new Date(0))
    symlinkSync(elsewhere, path.join(caches, '0.0.7-node-24.21.0'))
    lutimesSync(path.join(caches, '0.0.7-node-24.21.0'), new Date(0), new Date(0))
    leave('photos', { ageDays: 400 })
    writeFileSync(path.join(caches, '0.0.6-node-24.21.0'), 'a file')
    utimesSync(path.join(caches, '0.0.6-node-24.21.0'), new Date(0), new Date(0))
    await connectOk(home, ['daemon', 'status'])
    expect(readdirSync(caches).toSorted()).toEqual([
      '0.0.6-node-24.21.0',
      '0.0.7-node-24.21.0',
      own,
      'photos',
    ])
    expect(readdirSync(elsewhere)).toEqual(['precious'])
  })

  test('is not written where its folder is a link', async () => {
    const elsewhere = path.join(home.folder, 'elsewhere')
    mkdirSync(path.join(elsewhere, '0.0.9-node-24.21.0'), { recursive: true })
    utimesSync(path.join(elsewhere, '0.0.9-node-24.21.0'), new Date(0), new Date(0))
    mkdirSync(path.dirname(caches), { mode: 0o700 })
    symlinkSync(elsewhere, caches)
    expect(await connectOk(home, ['daemon', 'status'])).toContain('Status: stopped')
    expect(readdirSync(elsewhere)).toEqual(['0.0.9-node-24.21.0'])
  })

  test('of another version is removed all the same where that was killed half way', async () => {
    const old = leave('0.0.9-node-24.21.0', { ageDays: 2, files: 5000 })
    const files = path.join(old, 'v20.0.0-x64-0123abcd-0')
    const madeMs = statSync(files).mtimeMs
    const killed = startConnect(home, ['daemon', 'status'])
    await until(() => statSync(files, { throwIfNoEntry: false })?.mtimeMs !== madeMs, { everyMs: 0 })
    killed.kill('SIGKILL')
    await killed.exited
    expect(await connectOk(home, ['daemon', 'status'])).toContain('Status: stopped')
    expect(readdirSync(caches)).toEqual([own])
  })

  test('is made, and others are removed, by commands that run at once', async () => {
    leave('0.0.9-node-24.21.0', { ageDays: 2, files: 500 })
    const runs = await Promise.all(Array.from({ length: 4 }, () => connect(home, ['daemon', 'status'])))
    for (const { code, stdout, stderr } of runs) {
      expect(stderr).toBe('')
      expect(stdout).toContain('Status: stopped')
      expect(code).toBe(0)
    }
    expect(readdirSync(caches)).toEqual([own])
  })
})
