import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { connect, connectOk, root, runJs, type CliResult } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'

/** Runs it where `ssh` is a script that says what it was given, and exits with 9. */
async function ssh(args: readonly string[], home = emptyHome()): Promise<CliResult> {
  const folder = path.join(home.folder, 'bin')
  mkdirSync(folder, { recursive: true })
  const script = '#!/bin/sh\nprintf "%s\\n" "$@" "token:$PRIVATECONNECT_TOKEN"\nexit 9\n'
  writeFileSync(path.join(folder, 'ssh'), script, { mode: 0o755 })
  const env = { PATH: [folder, process.env.PATH].join(path.delimiter), PRIVATECONNECT_TOKEN: 'tok_secret' }
  return connect(home, ['ssh', ...args], { env })
}

const quoted = (file: string) => (/^[\w@%+=:,./-]+$/.test(file) ? file : `"${file}"`)

function ours(name: string, more = '', host = `${name}.privateconnect`): string[] {
  const call = `${quoted(process.execPath)} ${quoted(runJs)} reach ${name} --stdio${more}`
  return ['-o', `HostName=${host}`, '-o', `HostKeyAlias=${host}`, '-o', `ProxyCommand=${call}`]
}

describe('connect ssh', () => {
  test('runs OpenSSH through reach, with its words as they are, its exit code and no token', async () => {
    const words = [
      '-v',
      '-p',
      '22',
      '-h',
      'alice@dev',
      '--',
      'echo',
      '--json',
      '--help',
      'a  b',
      '',
      '-p',
      '22',
    ]
    const { code, stdout, stderr } = await ssh(words)
    expect({ code, stderr }).toEqual({ code: 9, stderr: '' })
    expect(stdout.split('\n')).toEqual([...ours('dev'), ...words, 'token:', ''])
  })

  test('goes by another instance, whose file stands before all else', async () => {
    const home = emptyHome(`it's 100% "mine"`)
    const { code, stdout } = await ssh(['--config', './work.json', 'dev.privateconnect'], home)
    expect(code).toBe(9)
    const file = path
      .join(home.folder, 'work.json')
      .replaceAll('%', '%%')
      .replaceAll('"', String.raw`\"`)
    expect(stdout.split('\n')).toEqual([
      // Of its own: the default instance's hub may have another service of that name.
      ...ours('dev', ` --config "${file}"`, 'dev.work.privateconnect'),
      'dev.privateconnect',
      'token:',
      '',
    ])
    const { stdout: odd } = await ssh(['--config', './My work.json', 'dev'], home)
    expect(odd).toMatch(/^HostKeyAlias=dev\.[0-9a-f]{8}\.privateconnect$/m)
    const { stdout: early } = await connect(home, ['--config', './work.json', 'ssh', '--config', 'dev'])
    expect(early).toContain(` --config "${file}"\n`)
  })

  test('asks ssh about itself without a name', async () => {
    expect(await ssh(['-Q', 'key'])).toMatchObject({ code: 9, stdout: '-Q\nkey\ntoken:\n' })
  })

  test.for([
    [[], 'Which service to log in to is missing'],
    [['-v'], 'Which service to log in to is missing'],
    [['dev.example.com'], '"dev.example.com" is not a service name'],
    [['-l', 'alice', '-x'], 'Which service to log in to is missing'],
    [['--config', 'dev', '-v'], '"-v" is not a service name'],
  ] as const)('%j exits 2', async ([args, sentence]) => {
    const { code, stdout, stderr } = await ssh(args)
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' })
    expect(stderr).toContain(`[x] ${sentence}`)
  })

  test('says so where there is no OpenSSH', async () => {
    const { code, stderr } = await connect(emptyHome(), ['ssh', 'dev'], { env: { PATH: '/nowhere' } })
    expect(code).toBe(127)
    expect(stderr).toMatch(/^\[x\] There is no OpenSSH here: .*\n {2}Install it/)
  })
})

describe('connect ssh --config', () => {
  const call = (home: Home, args: readonly string[]) => connectOk(home, ['ssh', '--config', ...args])

  test('prints what an ssh_config needs for all services, or for some', async () => {
    const home = emptyHome()
    const program = [process.execPath, path.join(root, 'bin', 'run.js')].map(quoted).join(' ')
    expect(await call(home, [])).toBe(`Host *.privateconnect\n  ProxyCommand ${program} reach %h --stdio\n`)
    expect(await call(home, ['dev', 'staging.privateconnect'])).toBe(
      ['dev', 'staging']
        .map(
          (name) =>
            `Host ${name}\n  HostName ${name}.privateconnect\n  HostKeyAlias ${name}.privateconnect\n` +
            `  ProxyCommand ${program} reach ${name} --stdio\n`,
        )
        .join('\n'),
    )
  })
})

test('prints none for all services where ssh hands commands in a host’s name to a shell, as before 9.6', async () => {
  const home = emptyHome()
  const folder = path.join(home.folder, 'bin')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'ssh'), '#!/bin/sh\nexit 0\n', { mode: 0o755 })
  const env = { PATH: [folder, process.env.PATH].join(path.delimiter) }
  expect(await connect(home, ['ssh', '--config'], { env })).toMatchObject({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^\[x\] This machine’s OpenSSH would .*\n {2}Name the services: connect ssh --config NAME;/,
    ),
  })
  expect(await connectOk(home, ['ssh', '--config', 'dev'], { env })).toContain('HostName dev.privateconnect')
})

test('help is ours, and completion knows the command', async () => {
  expect(await connectOk(emptyHome(), ['ssh', '--help'])).toMatch(/USAGE\n.*connect ssh \[--config FILE\]/)
  expect(await connectOk(emptyHome(), ['__complete', 'bash', 'connect ss', ' '])).toBe('words 0\nssh\n')
})
