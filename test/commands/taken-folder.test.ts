import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync } from 'node:fs'
import { connect as dial } from 'node:net'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { runProgram } from '../fixtures/run-fixture.ts'
import { connectOk, runJs, type RunningCli } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'

/** As whom no other run of the tests works. */
const USER = 20_000 + (process.pid % 20_000)
const TAKEN = `/tmp/private-connect-${USER}`
const NOBODY = 65_534

describe.skipIf(process.getuid?.() !== 0)('where another user was first to take our name in /tmp', () => {
  let world: World
  let home: Home
  /** Its sockets' paths would be too long. */
  let far: Home

  beforeAll(async () => {
    world = await World.start()
    await connectOk(await world.echoMachine(), ['daemon', 'start'])
    home = await world.machine('client')
    far = await world.machine('x'.repeat(100))
    give(home)
    give(far)
    mkdirSync(TAKEN)
    chownSync(TAKEN, NOBODY, NOBODY)
  })

  afterAll(async () => {
    rmSync(TAKEN, { recursive: true })
    await world.stop()
  })

  /** What is in a home folder belongs to that user, who may pass through what is above it. */
  function give({ folder }: Home): void {
    chmodSync(path.dirname(folder), 0o755)
    execFileSync('chown', ['-R', `${USER}:${USER}`, folder])
  }

  function asUser({ env, folder }: Home, args: readonly string[]): RunningCli {
    const by = ['setpriv', `--reuid=${USER}`, `--regid=${USER}`, '--clear-groups'] as const
    return runProgram([...by, process.execPath, runJs, ...args], { env, cwd: folder })
  }

  test('a reach opens its socket all the same, and what would lead in a loop is known', async () => {
    const socketPath = path.join(home.folder, 'echo.sock')
    const reach = asUser(home, ['reach', 'echo', '--socket', socketPath])
    await reach.printed(/is at unix:/)
    const socket = dial(socketPath)
    socket.write('hello')
    expect(String((await once(socket, 'data'))[0])).toBe('hello')
    socket.destroy()
    const exposing = asUser(home, ['expose', `unix:${socketPath}`, '--name', 'round'])
    await exposing.printed(/it is the socket of "connect reach echo"/)
    await reach.stop('SIGTERM')
    expect(reach.stderr).not.toContain('[!]')
    expect(existsSync(socketPath)).toBe(false)
  })

  test('an agent whose socket fits nowhere else says so, and what helps', async () => {
    const up = asUser(far, ['up', '--foreground'])
    await up.exited
    expect(up.output).toContain(
      `[x] Could not use the folder ${TAKEN}: it belongs to another user\n  Have it deleted: sudo rm -r ${TAKEN}\n`,
    )
  })
})
