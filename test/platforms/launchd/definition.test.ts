import { spawnSync } from 'node:child_process'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import fc from 'fast-check'
import { parse } from 'plist'
import { describe, expect, test } from 'vitest'
import { hubInstance } from '../../../src/config/hub/hub-instance.ts'
import { instanceFor } from '../../../src/config/instance.ts'
import { wordsOf } from '../../../src/config/kind.ts'
import { plistText, readMark } from '../../../src/platforms/launchd/definition.ts'
import { jobNames } from '../../../src/platforms/launchd/manager/names.ts'
import type { Daemon } from '../../../src/platforms/platform.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'
import { fixtures } from './helpers/sample.ts'

const LABEL = 'co.privateconnect.agent'

const daemon: Daemon = {
  command: [
    '/opt/node 24/bin/node',
    '/usr/local/bin/connect',
    'up',
    '--hub',
    'https://hub.example.com/a%20b?c=$d&e=<f>',
  ],
  env: {
    HOME: '/Users/ada',
    PATH: '/tmp',
    DATABASE_PASSWORD: 'secret',
    NODE_EXTRA_CA_CERTS: '/etc/our "ca".pem',
  },
  cwd: '/Users/ada',
  logFile: '/Users/ada/.privateconnect/daemon.log',
}

const KEYS = {
  Label: LABEL,
  ProgramArguments: daemon.command,
  EnvironmentVariables: {
    PATH: '/opt/node 24/bin:/usr/local/bin:/usr/bin:/bin',
    CONNECT_DAEMON: '1',
    CONNECT_SUPERVISOR: 'launchd',
    NODE_EXTRA_CA_CERTS: '/etc/our "ca".pem',
    HOME: '/Users/ada',
    CONNECT_DEFINITION: expect.stringMatching(/^[0-9a-f]{16}$/) as string,
  },
  WorkingDirectory: '/Users/ada',
  RunAtLoad: true,
  KeepAlive: { SuccessfulExit: false, NetworkState: true },
  StandardOutPath: daemon.logFile,
  StandardErrorPath: daemon.logFile,
  ThrottleInterval: 10,
  ExitTimeOut: 5,
  ProcessType: 'Interactive',
  LimitLoadToSessionType: ['Aqua', 'Background'],
  Umask: 63,
}

test('the plist runs the agent, starts it again, and stops it in 5 s', () => {
  const text = plistText(daemon, LABEL)
  expect(text.split('\n').slice(0, 3)).toEqual([
    '<?xml version="1.0" encoding="UTF-8"?>',
    '<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">',
    '<plist version="1.0">',
  ])
  const read = parse(text) as object
  expect(read).toEqual(KEYS)
  expect(Object.keys(read)).toEqual(Object.keys(KEYS))
})

test('a home that is not known is not named', () => {
  for (const HOME of ['', undefined])
    expect(parse(plistText({ ...daemon, env: { HOME } }, LABEL))).toHaveProperty('EnvironmentVariables', {
      PATH: KEYS.EnvironmentVariables.PATH,
      CONNECT_DAEMON: '1',
      CONNECT_SUPERVISOR: 'launchd',
      CONNECT_DEFINITION: KEYS.EnvironmentVariables.CONNECT_DEFINITION,
    })
})

test('it ends with the end of a line', () => {
  expect(plistText(daemon, LABEL)).toMatch(/<\/plist>\n$/)
})

test('nothing of the caller’s environment is in it but what is named', () => {
  expect(plistText(daemon, LABEL)).not.toContain('secret')
})

test('its mark is that of its text, and tells when someone has changed that by hand', () => {
  const text = plistText(daemon, LABEL)
  const { mark, isEdited } = readMark(text)!
  expect(isEdited).toBe(false)
  expect(plistText(daemon, LABEL)).toBe(text)
  expect(readMark(text.replace('<integer>10<', '<integer>1<'))).toEqual({ mark, isEdited: true })
  expect(readMark(plistText({ ...daemon, cwd: '/' }, LABEL))?.mark).not.toBe(mark)
  expect(readMark('<plist/>')).toBeUndefined()
  expect(readMark(text.replace(mark, `${mark}0`))).toBeUndefined()
  expect(readMark(text.replace(mark, mark.slice(1)))).toBeUndefined()
  expect(readMark(text.replace(/(CONNECT_DEFINITION<\/key>)\s*/, '$1'))?.mark).toBe(mark)
})

test.for(['a\nb', 'a\tb', '\0', '\u0085', '\u007f', '\ud800'])(
  'a path that holds %j can’t be named',
  (odd) => {
    const error = thrownBy(() => plistText({ ...daemon, logFile: `/Users/ada/${odd}/daemon.log` }, LABEL))
    const text = JSON.stringify(`/Users/ada/${odd}/daemon.log`)
    expect(error).toMatchObject({
      code: 'INSTALL_UNSUPPORTED',
      message: `A plist can’t hold control characters: ${text}`,
    })
    expect(error.hints).toEqual(['Move it to another folder.'])
  },
)

/** Without separators of lines: plist's reader takes them for line ends, as in XML 1.1; a plist is 1.0. */
const word = fc
  .string({ unit: 'binary' })
  .filter((text) => text.isWellFormed() && !/[\p{Cc}\p{Zl}\p{Zp}\uFFFE\uFFFF]/u.test(text))

test('whatever the words are, they are read back as they were', () => {
  fc.assert(
    fc.property(fc.array(word), (args) => {
      const read = parse(plistText({ ...daemon, command: ['/bin/node', ...args] }, LABEL))
      expect(read).toMatchObject({ ProgramArguments: ['/bin/node', ...args] })
    }),
  )
})

const ODD = [
  ' ',
  '  two  ',
  '&',
  '<',
  '>',
  ']]>',
  '"',
  "'",
  '`',
  '\\',
  '$HOME',
  '%20',
  '~',
  '#',
  ';',
  '',
  'ü',
  'u\u0308',
  '😀',
  '\u2028',
  '\u2029',
  '\u00a0',
  '<!-- no -->',
  '&amp;',
  '&#10;',
  '/Users/Ada Lovelace/it’s "here"/a&b<c>/run.js',
  'https://hub.example.com:8443/a%20b/?c=$d&e=<f>#g',
]

/** Programs that are not ours read it, if they are here; under CI on Linux they must be. */
function has(program: string): boolean {
  return (
    (process.env.CI !== undefined && process.platform === 'linux') ||
    spawnSync(program, ['--version']).error === undefined
  )
}

function inFile(text: string): string {
  const file = path.join(scratchFolder(), `${LABEL}.plist`)
  writeFileSync(file, text)
  return file
}

function run(
  program: string,
  args: readonly string[],
): { status: number | null; stdout: string; stderr: string } {
  const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' })
  return { status, stdout, stderr }
}

describe.skipIf(!has('plistutil'))('plistutil reads it (skipped where libplist-utils is missing)', () => {
  /** In the binary form, which is read back by other code than the XML. */
  function converted(text: string): unknown {
    const file = inFile(text)
    run('plistutil', ['-f', 'bin', '-i', file, '-o', `${file}.bin`])
    return existsSync(`${file}.bin`) ? parse(new Uint8Array(readFileSync(`${file}.bin`))) : undefined
  }

  test('with every odd word as it is', () => {
    const odd = { ...daemon, command: ['/bin/node', ...ODD, ODD.join('')] as const, cwd: '/Users/ada/&<>" ☃' }
    const { EnvironmentVariables, ...others } = KEYS
    expect(converted(plistText(odd, LABEL))).toEqual({
      ...others,
      EnvironmentVariables: { ...EnvironmentVariables, PATH: '/bin:/usr/local/bin:/usr/bin' },
      ProgramArguments: odd.command,
      WorkingDirectory: odd.cwd,
    })
  })

  test('and finds what is wrong with another', () => {
    expect(converted(plistText(daemon, LABEL).replace('</array>', ''))).toBeUndefined()
  })
})

describe.skipIf(!has('xmllint'))(
  'it is valid by its grammar (skipped where libxml2-utils is missing)',
  () => {
    const validate = (text: string) =>
      run('xmllint', ['--noout', '--nonet', '--dtdvalid', path.join(fixtures, 'plist.dtd'), inFile(text)])

    test('with every odd word', () => {
      const command = ['/bin/node', ...ODD, ODD.join('')] as const
      const { status, stderr } = validate(plistText({ ...daemon, command }, LABEL))
      expect({ status, errors: /.*(?:validity|parser) error.*/.exec(stderr) }).toEqual({
        status: 0,
        errors: null,
      })
    })

    test('which finds what is wrong with another', () => {
      expect(validate(plistText(daemon, LABEL).replace('<true/>', '<yes/>')).status).not.toBe(0)
    })
  },
)

describe('a job’s label', () => {
  const names = (name: string) =>
    jobNames({ instance: { ...instanceFor(undefined, '/Users/ada'), name }, env: { HOME: '/Users/ada' } })

  test('is the plain one for the default instance', () => {
    const uid = process.getuid?.()
    expect(names('default')).toEqual({
      label: LABEL,
      home: '/Users/ada',
      folder: '/Users/ada/Library/LaunchAgents',
      file: `/Users/ada/Library/LaunchAgents/${LABEL}.plist`,
      domains: [`gui/${uid}`, `user/${uid}`],
      words: wordsOf({ kind: 'agent' }),
    })
  })

  test.for([
    ['staging', 'staging'],
    ['my hub/2', 'my%20hub%2F2'],
    ['ü', '%C3%BC'],
  ] as const)('is named for the instance %j', ([name, suffix]) => {
    expect(names(name).label).toBe(`${LABEL}.${suffix}`)
  })
})

test('the hub’s job has a label of its own', () => {
  const { label, file } = jobNames({ instance: hubInstance({}, '/Users/ada'), env: { HOME: '/Users/ada' } })
  expect(label).toBe('co.privateconnect.hub')
  expect(file).toBe('/Users/ada/Library/LaunchAgents/co.privateconnect.hub.plist')
})
