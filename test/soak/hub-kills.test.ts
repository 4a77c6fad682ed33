import { readdirSync, readFileSync, utimesSync } from 'node:fs'
import path from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { expect, onTestFinished, test } from 'vitest'
import { readHubSettings } from '../../src/config/hub/hub-settings.ts'
import { codeOf } from '../../src/errors.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, startConnect } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { soakSuite } from './helpers/soak.ts'

const plugin = path.join(import.meta.dirname, '..', 'fixtures', 'plugin-platform')
const env = { OCLIF_DISABLE_LINKED_ESM_WARNING: '1' }

const ACTIONS = ['start', 'start --replace', 'restart', 'stop', 'install', 'uninstall']
/** What a home's hub has, and no more. */
const FILES =
  /^(config\.json|hub\.(db(-shm|-wal)?|process\.json|lock|log|pid|sock|command\.lock)|tls|.*testinit\.json)$/

/** The hubs that run from a home; Linux alone tells. */
function hubsOf(home: Home): number[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map(Number)
    .filter((pid) => {
      try {
        const isHub = readFileSync(`/proc/${pid}/cmdline`, 'utf8').endsWith('run.js\0hub\0')
        return (
          isHub && readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0').includes(`HOME=${home.folder}`)
        )
      } catch {
        // It has ended meanwhile.
        return false
      }
    })
}

/** It may have ended since it was found. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL')
  } catch (error) {
    if (codeOf(error) !== 'ESRCH') throw error
  }
}

soakSuite('kills at random moments of the hub, and of commands on it', ({ random, length }) => {
  test('leave one hub or none, which every command finds', async () => {
    const home = emptyHome('hub')
    await connectOk(home, ['plugins', 'link', plugin])
    onTestFinished(async () => void (await connect(home, ['hub', 'uninstall'], { env })))
    const hub = (line: string) => connectOk(home, ['hub', ...line.split(' ')], { env, timeoutMs: 60_000 })
    await hub('start --listen 127.0.0.1:0')
    const durations = new Map<string, number>()
    const kills = length({ short: 15, long: 500 })
    for (let done = 0; done < kills;) {
      const action = random.pick(ACTIONS)
      const kill = random.pick(['command', 'hub'])
      const moment = random.fraction() * (durations.get(action) ?? 500) * 1.05
      const began = performance.now()
      const cli = startConnect(home, ['hub', ...action.split(' ')], { env })
      await Promise.race([sleep(moment), cli.exited])
      if (kill === 'command') cli.kill('SIGKILL')
      else hubsOf(home).forEach(killIfThere)
      const { signal } = await cli.exited
      if (signal === 'SIGKILL' || kill === 'hub') done++
      else durations.set(action, performance.now() - began)
      const story = `${action}: the ${kill} was killed after ${moment.toFixed(0)} ms\n${cli.output}`

      expect(readHubSettings(home.folder), story).toEqual({ listen: '127.0.0.1:0' })
      // One that was just begun by a command that is no more says so within moments.
      const isSettled = async () => {
        const { pid } = JSON.parse(await hub('status --json')) as { pid: number | null }
        return hubsOf(home).every((one) => one === pid) || undefined
      }
      expect(await waitFor(isSettled, { timeoutMs: 30_000 }), story).toBe(true)
      // The service manager may be about to start one again itself, and then tells how the one before ended.
      const isStarted = async () => {
        const { code } = await connect(home, ['hub', 'start'], { env })
        return code === 0 || undefined
      }
      expect(await waitFor(isStarted, { timeoutMs: 30_000 }), story).toBe(true)
      await hub('status --wait 60s')
      const one = () => (hubsOf(home).length === 1 ? true : undefined)
      expect(await waitFor(one, { timeoutMs: 30_000 }), `${story}: ${hubsOf(home).join(', ')}`).toBe(true)
      await hub('token list')
      if (random.chance(0.5)) await hub('stop')
    }
    await hub('uninstall')
    await hub('stop')
    expect(hubsOf(home)).toEqual([])
    // What a killed writer has left goes with the first write after ten minutes.
    const names = () => readdirSync(home.file('hub'))
    for (const name of names()) if (name.endsWith('.tmp')) utimesSync(home.file(`hub/${name}`), 0, 0)
    await hub('start --url https://hub.example.com')
    await hub('stop')
    expect(names().filter((name) => !FILES.test(name))).toEqual([])
  })
})
