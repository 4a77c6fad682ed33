import { spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { wordsOf } from '../../../src/config/kind.ts'
import type { Daemon } from '../../../src/platforms/platform.ts'
import { unitText } from '../../../src/platforms/systemd/definition.ts'
import { unitNames } from '../../../src/platforms/systemd/manager/names.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const daemon: Daemon = {
  command: [
    '/opt/node 24/bin/node',
    '/usr/local/bin/connect',
    'up',
    '--hub',
    'https://hub.example.com/a%20b?$HOME',
  ],
  env: {
    HOME: '/home/ada',
    PATH: '/tmp',
    DATABASE_PASSWORD: 'secret',
    NODE_EXTRA_CA_CERTS: '/etc/our "ca".pem',
  },
  cwd: '/home/ada',
  logFile: '/home/ada/100% mine/daemon.log',
}

const agentUnit = (of: Daemon) => unitText(of, wordsOf({ kind: 'agent' }))

const lines = (text: string, name: string) => text.split('\n').filter((line) => line.startsWith(`${name}=`))

test('the unit of the hub differs from an agent’s in what it is called alone', () => {
  const unit = unitText(daemon, wordsOf({ kind: 'hub' }))
  expect(unit).toContain('Description=Private Connect Hub\n')
  expect(unit).toContain('connect hub install and restart write it anew')
  const renamed = unit
    .replace('Private Connect Hub', 'Private Connect Agent')
    .replace('connect hub install', 'connect daemon install')
  expect(renamed).toBe(agentUnit(daemon))
})

test('the hub’s unit has a name of its own', () => {
  const { name } = unitNames({ instance: hubInstance({}, '/home/ada'), env: {} }, '/home/ada')
  expect(name).toBe('private-connect-hub.service')
})

test('the unit runs the agent, starts it again, and stops it in 5 s', () => {
  expect(agentUnit(daemon)).toMatchInlineSnapshot(`
    "# Written by Private Connect: connect daemon install and restart write it anew.
    # To change a setting: systemctl --user edit
    [Unit]
    Description=Private Connect Agent
    After=network-online.target
    Wants=network-online.target
    # However often it fails, it is tried again: a hub that is down for a night is no reason to stay down.
    StartLimitIntervalSec=0

    [Service]
    Type=simple
    ExecStart="/opt/node 24/bin/node" "/usr/local/bin/connect" "up" "--hub" "https://hub.example.com/a%%20b?$$HOME"
    Restart=always
    RestartSec=10
    # What only a human can fix.
    RestartPreventExitStatus=78
    KillMode=mixed
    TimeoutStopSec=5
    StandardOutput=append:/home/ada/100%% mine/daemon.log
    StandardError=append:/home/ada/100%% mine/daemon.log
    UMask=0077
    Environment="PATH=/opt/node 24/bin:/usr/local/bin:/usr/bin:/bin" "CONNECT_DAEMON=1" "CONNECT_SUPERVISOR=systemd" "NODE_EXTRA_CA_CERTS=/etc/our \\"ca\\".pem"
    NoNewPrivileges=yes
    RestrictSUIDSGID=yes
    LockPersonality=yes
    RestrictRealtime=yes
    RestrictNamespaces=yes
    SystemCallArchitectures=native
    RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6 AF_NETLINK

    [Install]
    WantedBy=default.target
    "
  `)
})

test('nothing of the caller’s environment is in it but what is named', () => {
  expect(agentUnit(daemon)).not.toContain('secret')
})

test('a folder with a colon in its name can’t be in PATH', () => {
  const text = agentUnit({ ...daemon, command: ['/opt/a:b/node'] })
  expect(lines(text, 'Environment')[0]).toContain('"PATH=/usr/local/bin:/usr/bin:/bin"')
})

test('a log whose path holds a line break can’t be named', () => {
  const error = thrownBy(() => agentUnit({ ...daemon, logFile: '/home/a\nb/daemon.log' }))
  expect(error).toMatchObject({
    code: 'INSTALL_UNSUPPORTED',
    message: 'A unit can’t name a path with control characters: /home/a\nb/daemon.log',
  })
  expect(error.hints).toEqual(['Move it to another folder.'])
})

test.for(['"', "'", '\\', '\n'])('a program whose path has %j in it can’t be named', (character) => {
  const command = [`/opt/a${character}b/node`] as const
  const error = thrownBy(() => agentUnit({ ...daemon, command }))
  expect(error).toMatchObject({
    code: 'INSTALL_UNSUPPORTED',
    message: `systemd can’t run a program whose path has quotes or backslashes: ${command[0]}`,
  })
  expect(error.hints).toEqual(['Move it to another folder.'])
})

test('what would end a word, or begin something else, is escaped', () => {
  const command = ['/bin/node', 'a "b"', '\\', '%h', '$HOME', '\t', '\u0085', '\n\n'] as const
  expect(lines(agentUnit({ ...daemon, command }), 'ExecStart')).toEqual([
    String.raw`ExecStart="/bin/node" "a \"b\"" "\\" "%%h" "$$HOME" "\x09" "\xc2\x85" "\x0a\x0a"`,
  ])
})

test('whatever the words are, each setting stays on its own line', () => {
  const word = fc.string({ unit: 'binary' }).filter((text) => !text.includes('\0'))
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const text = agentUnit({ ...daemon, command: ['/bin/node', ...args] })
      expect(text.split('\n')).toHaveLength(agentUnit(daemon).split('\n').length)
      expect(lines(text, 'ExecStart')[0]).toMatch(/^ExecStart="\/bin\/node"( "([^"\\]|\\.)*")*$/u)
    }),
  )
})

const hasVerify = spawnSync('systemd-analyze', ['--version']).status === 0

/** @returns what systemd-analyze has to say of a unit: nothing, if all is well */
function verify(text: string): string {
  const folder = scratchFolder()
  const runtime = path.join(folder, 'run')
  mkdirSync(runtime, { mode: 0o700 })
  const file = path.join(folder, 'private-connect.service')
  writeFileSync(file, text)
  const args = ['--user', '--man=no', '--generators=no', 'verify', file]
  const env = { PATH: process.env.PATH, HOME: folder, XDG_RUNTIME_DIR: runtime, LC_ALL: 'C' }
  const { status, stdout, stderr } = spawnSync('systemd-analyze', args, { env, encoding: 'utf8' })
  return status === 0 ? `${stdout}${stderr}` : `exit code ${status}: ${stdout}${stderr}`
}

describe.skipIf(!hasVerify && !process.env.CI)(
  'systemd-analyze takes it (skipped where it is missing)',
  () => {
    const command = [process.execPath, ...daemon.command.slice(1)] as const

    test('without a word', () => {
      expect(verify(agentUnit({ ...daemon, command }))).toBe('')
    })

    test('with any words', () => {
      const words = [
        '%',
        '%h',
        '$HOME',
        '${HOME}',
        '"',
        "'",
        '\\',
        '\\n',
        ' ',
        ';',
        '#',
        '~',
        '😀',
        'ü',
        '\t',
        '\u0085',
      ]
      const all = [process.execPath, ...words, words.join('')] as const
      expect(verify(agentUnit({ ...daemon, command: all }))).toBe('')
    })

    test('and finds what is wrong with another', () => {
      expect(verify(agentUnit(daemon).replaceAll('%%', '%'))).toMatch(/^exit code 1/)
    })
  },
)
