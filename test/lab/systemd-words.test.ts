import { connect } from 'node:net'
import path from 'node:path'
import fc from 'fast-check'
import { beforeAll, describe, expect, test } from 'vitest'
import { wordsOf } from '../../src/config/kind.ts'
import type { Daemon } from '../../src/platforms/platform.ts'
import { unitText } from '../../src/platforms/systemd/definition.ts'
import { waitFor } from '../../src/runtime/wait-for.ts'
import { serveTcp } from '../helpers/servers.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { asRoot, SystemdScene, UNIT, UNIT_FILE } from './helpers/systemd-scene.ts'

/** For a shell: it takes the word after these for the name of a script, and the rest for its arguments. */
const FOREVER = ['-c', 'while :; do sleep 60; done'] as const
const PID = `$(systemctl --user show ${UNIT} --property=MainPID --value)`

labSuite('a unit, read by systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine

  beforeAll(async () => {
    machine = own(await Machine.start(), (it) => it.stop())
    await machine.login()
  }, MACHINE_START_MS)

  /** @returns what the process is given: program and arguments */
  async function commandLineOf(
    command: Daemon['command'],
    { env = {}, logFile = "/home/dev/100% $HOME 'log'.txt" }: Partial<Daemon> = {},
  ): Promise<string[]> {
    await machine.write(
      UNIT_FILE,
      unitText({ command, env, cwd: '/home/dev', logFile }, wordsOf({ kind: 'agent' })),
    )
    await machine.runOk(`systemctl --user daemon-reload && systemctl --user restart ${UNIT}`)
    const look = async () => {
      const { stdout } = await machine.run(`cat "/proc/${PID}/cmdline"`)
      const words = stdout.split('\0').slice(0, -1)
      // Before it has become the program it is systemd itself.
      return words[1] === command[1] ? words : undefined
    }
    const found = await waitFor(look, { timeoutMs: 20_000 })
    if (!found) throw new Error(await machine.runOk(`systemctl --user status ${UNIT} || true`))
    return found
  }

  const show = (property: string) =>
    machine.runOk(`systemctl --user show ${UNIT} --property=${property} --value`)

  /** What systemctl shows, without its way of writing lists. */
  async function property(name: string): Promise<unknown> {
    const object = `/org/freedesktop/systemd1/unit/${UNIT.replace('-', '_2d').replace('.', '_2e')}`
    const service = 'org.freedesktop.systemd1'
    const words = [
      'busctl',
      '--user',
      '--json=short',
      'get-property',
      service,
      object,
      `${service}.Service`,
      name,
    ]
    return (JSON.parse(await machine.runOk(words)) as { data: unknown }).data
  }

  test('starts the program with each word as it is', async () => {
    const program = ['/usr/bin/sh', ...FOREVER, 'sh'] as const
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
        const all = ['/usr/bin/sh', ...FOREVER, 'sh', ...args] as const
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

  describe('is read back as it was meant, where paths and arguments have in them', () => {
    test.for([
      ['a space', ' a  b '],
      ['a double quote', 'a"b"'],
      ['a single quote', "it's 'so'"],
      ['a percent sign', '%h %% 100%'],
      ['a dollar sign', '$HOME ${HOME} $$'],
      ['a backslash', String.raw`\ \n \x41 \$ \\`],
      ['what is not ASCII', 'ü é 😀 家'],
      ['what has a meaning in shells', '; # ~ * | & <a> (b) `c`'],
    ] as const)('%s', async ([, text]) => {
      const folder = `/home/dev/${text}`
      // The rest systemd takes in no program’s name.
      const program = `/home/dev/${text.replaceAll(/["'\\]/g, '')}/shell`
      const logFile = `${folder}/daemon.log`
      const certificates = `${folder}/ca.pem`
      await machine.runOk(['mkdir', '-p', folder, path.dirname(program)])
      await machine.runOk(['cp', '/usr/bin/sh', program])
      const args = [...FOREVER, text, folder]
      const env = { NODE_EXTRA_CA_CERTS: certificates }
      const given = await commandLineOf([program, ...args], { env, logFile })
      expect(given.slice(1)).toEqual(args)
      // In what it is told of its own name ${…} is put in; it is the right program all the same.
      expect(await machine.runOk(`readlink "/proc/${PID}/exe"`)).toBe(`${program}\n`)

      // What an argument may refer to is put in once it is run: so these are shown as they are written.
      const shown = [program, ...args.map((word) => word.replaceAll('$', '$$$$'))]
      expect(await show('ExecStart')).toContain(`{ path=${program} ; argv[]=${shown.join(' ')} ; `)
      expect(await property('ExecStart')).toEqual([expect.arrayContaining([program, shown])])

      const variables = await machine.runOk(
        `eval "printf '%s\\n' $(systemctl --user show ${UNIT} -p Environment --value)"`,
      )
      expect(variables.split('\n')).toContain(`NODE_EXTRA_CA_CERTS=${certificates}`)
      expect(await property('Environment')).toContain(`NODE_EXTRA_CA_CERTS=${certificates}`)

      // Of the file systemctl shows nothing: the process has it.
      expect([await show('StandardOutput'), await show('StandardError')]).toEqual(['append\n', 'append\n'])
      expect(await machine.runOk(`readlink "/proc/${PID}/fd/1" "/proc/${PID}/fd/2"`)).toBe(
        `${logFile}\n`.repeat(2),
      )
    })
  })

  test.for(['"', "'", '\\', '\t'])(
    'systemd takes no program whose path has %j in it, however written',
    async (character) => {
      const code = character.charCodeAt(0).toString(16).padStart(2, '0')
      for (const written of [`\\x${code}`, `\\${character}`, character]) {
        await machine.write(UNIT_FILE, `[Service]\nExecStart="/home/dev/a${written}b/sleep" infinity\n`)
        await machine.runOk('systemctl --user daemon-reload')
        expect([written, await show('LoadState')]).toEqual([written, 'bad-setting\n'])
      }
    },
  )
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
