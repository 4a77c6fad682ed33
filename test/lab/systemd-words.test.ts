import { connect } from 'node:net'
import fc from 'fast-check'
import { beforeAll, expect, test } from 'vitest'
import type { Daemon } from '../../src/platforms/platform.ts'
import { unitText } from '../../src/platforms/systemd/unit.ts'
import { waitFor } from '../../src/process/wait.ts'
import { serveTcp } from '../helpers/servers.ts'
import { asRoot, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('a unit, read by systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine

  beforeAll(async () => {
    machine = own(await Machine.start(), (it) => it.stop())
    await machine.login()
  }, MACHINE_START_MS)

  /** @returns what the process is given: program and arguments */
  async function commandLineOf(command: Daemon['command']): Promise<string[]> {
    const daemon = { command, env: {}, cwd: '/home/dev', logFile: "/home/dev/100% $HOME 'log'.txt" }
    await machine.write(UNIT_FILE, unitText(daemon))
    await machine.runOk(`systemctl --user daemon-reload && systemctl --user restart ${UNIT}`)
    const look = async () => {
      const pid = `$(systemctl --user show ${UNIT} --property=MainPID --value)`
      const { stdout } = await machine.run(`cat "/proc/${pid}/cmdline"`)
      // Before it has become the program it is systemd itself.
      return stdout.startsWith(`${command[0]}\0`) ? stdout.split('\0').slice(0, -1) : undefined
    }
    const found = await waitFor(look, { timeoutMs: 20_000 })
    if (!found) throw new Error(await machine.runOk(`systemctl --user status ${UNIT} || true`))
    return found
  }

  test('starts the program with each word as it is', async () => {
    // sh takes the first for a script, and the rest for its arguments.
    const program = ['/usr/bin/sh', '-c', 'while :; do sleep 60; done', 'sh'] as const
    const words = ['%', '%h', '%%', '$', '$HOME', '${HOME}', '$$', '"', "'", '\\', '\\n', '\\x41', ' ', '']
    const more = [
      ';',
      '#',
      '~',
      '*',
      '😀',
      'ü',
      '\t',
      '\n',
      '\r',
      '\u0001',
      '\u007f',
      '\u0085',
      '-',
      '@',
      '+',
      '!',
    ]
    const all = [...program, ...words, ...more, [...words, ...more].join('')] as const
    expect(await commandLineOf(all)).toEqual(all)
  })

  test('whatever the words are', async () => {
    const word = fc.string({ unit: 'grapheme' }).filter((text) => !text.includes('\0'))
    const some = fc.array(word, { minLength: 1, maxLength: 60 })
    await fc.assert(
      fc.asyncProperty(some, async (args) => {
        const all = ['/usr/bin/sh', '-c', 'while :; do sleep 60; done', 'sh', ...args] as const
        expect(await commandLineOf(all)).toEqual(all)
      }),
      { numRuns: 20 },
    )
  })

  test('finds a program whose own path is odd', async () => {
    const program = '/home/dev/a b/100% $HOME/ü;'
    const folder = "'/home/dev/a b/100% $HOME'"
    await machine.runOk(`mkdir -p ${folder} && cp /usr/bin/sleep ${folder}/"ü;"`)
    expect(await commandLineOf([program, 'infinity'])).toEqual([program, 'infinity'])
    expect(await machine.runOk(`ls`)).toContain("100% $HOME 'log'.txt\n")
  })
})

labSuite('the service of systemd in a home folder with spaces', machineNeeds, () => {
  const own = ownedBySuite()
  let scene: SystemdScene
  const home = "/home/d e'v 100%"

  beforeAll(async () => {
    scene = await SystemdScene.start(own)
    await scene.machine.runOk(['usermod', '--home', home, '--move-home', 'dev'], asRoot)
  }, MACHINE_START_MS)

  test('with a hub whose address has %20 and $ in it, installs, answers and is removed', async () => {
    const hub = new URL(scene.world.hubUrl)
    const prefix = '/a%20b/$HOME'
    // A web server before the hub, that has it below a path.
    const front = own(
      await serveTcp((socket) => {
        const behind = connect(Number(hub.port), hub.hostname)
        for (const it of [socket, behind]) it.on('error', () => socket.destroy())
        behind.pipe(socket)
        socket.on('data', (data: Buffer) => {
          const text = data.toString('latin1')
          behind.write(Buffer.from(text.replace(/^([A-Z]+) \/a%20b\/\$HOME\//, '$1 /'), 'latin1'))
        })
        socket.on('end', () => behind.end())
      }),
      (it) => it.close(),
    )
    const env = {
      CONNECT_HUB_URL: `http://127.0.0.1:${front.port}${prefix}`,
      PRIVATECONNECT_TOKEN: await scene.world.joinToken(),
    }
    const { machine } = scene
    await machine.connectOk(['login', '--label', 'boxed'], { env })
    await machine.connectOk(['expose', `127.0.0.1:${scene.echoPort}`, '--name', 'echo'])
    await machine.login()
    const list = "find . -path ./.privateconnect -prune -o -printf '%M %p\\n' | sort"
    const before = await machine.runOk(list)
    expect(await scene.daemonOk('install')).toContain(`  Created: ~/${UNIT_FILE}\n`)
    await scene.answers()
    expect(await scene.status()).toMatchObject({ status: 'running', notes: [] })
    expect(await machine.runOk(`cat ${UNIT_FILE}`)).toContain('/a%%20b/$$HOME"\n')
    await scene.daemonOk('restart')
    await scene.answers()
    await scene.daemonOk('uninstall')
    expect(await machine.runOk(list)).toBe(before)
  })
})
