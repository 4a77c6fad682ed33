import { lchownSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { hubInstance } from '../../src/config/hub/hub-instance.ts'
import { instanceFor, ownsFolder, userFolder, type AgentInstance } from '../../src/config/instance.ts'
import { scratchFolder } from '../fixtures/scratch.ts'

const home = '/home/ada'

/** All that lies on disk for an instance. */
function filesOf({ kind, name, folder, ...files }: Omit<AgentInstance, 'waiting'>): string[] {
  return Object.values(files).filter((file) => file !== kind && file !== name && file !== folder)
}

test('no file of a hub is one of an agent’s, though both lie in the same folder', () => {
  const { waiting: _, ...files } = hubInstance({ dataDir: '/srv' }, home)
  const hub = Object.values(files).filter((value) => value.startsWith('/srv/'))
  const agents = ['/srv/hub.json', '/srv/config.json', '/srv/hub'].map((file) => instanceFor(file, home))
  expect(hub.length).toBeGreaterThan(4)
  expect(agents.flatMap(filesOf).filter((file) => hub.includes(file))).toEqual([])
})

describe('the default instance', () => {
  test('has the files that the documentation names', () => {
    const instance = instanceFor(undefined, home)
    expect(instance).toMatchObject({
      name: 'default',
      folder: '/home/ada/.privateconnect',
      configFile: '/home/ada/.privateconnect/config.json',
      servicesFile: '/home/ada/.privateconnect/services.json',
      logFile: '/home/ada/.privateconnect/daemon.log',
      pidFile: '/home/ada/.privateconnect/daemon.pid',
      socketPath: '/home/ada/.privateconnect/agent.sock',
    })
    expect(ownsFolder(instance, home)).toBe(true)
  })

  test.for(['/home/ada/.privateconnect/config.json', '/home/ada/x/../.privateconnect/config.json'])(
    'is meant by --config %s too',
    (file) => {
      expect(instanceFor(file, home)).toEqual(instanceFor(undefined, home))
    },
  )
})

describe('another instance', () => {
  test('is named for its config file, and its files lie beside it', () => {
    const instance = instanceFor('/srv/agents/staging.json', home)
    expect(instance).toMatchObject({
      name: 'staging',
      folder: '/srv/agents',
      logFile: '/srv/agents/staging.daemon.log',
      pidFile: '/srv/agents/staging.daemon.pid',
      socketPath: '/srv/agents/staging.agent.sock',
    })
    expect(ownsFolder(instance, home)).toBe(false)
  })

  test('is found by a relative path', () => {
    expect(instanceFor('staging.json', home).configFile).toBe(path.resolve('staging.json'))
  })

  test.for([
    ['/srv/a.json', '/srv/b.json'],
    ['/srv/a.json', '/srv/a'],
    ['/srv/a.json', '/srv/a.JSON'],
    ['/srv/a', '/srv/a.conf'],
    ['/srv/.json', '/srv/json'],
    ['/home/ada/.privateconnect/config.json', '/home/ada/.privateconnect/staging.json'],
    ['/home/ada/.privateconnect/config.json', '/home/ada/.privateconnect/config'],
    ['/home/ada/.privateconnect/config.json', '/srv/default.json'],
  ] as const)('%s shares no file with %s', ([one, other]) => {
    const shared = new Set(filesOf(instanceFor(one, home)))
    expect(filesOf(instanceFor(other, home)).filter((file) => shared.has(file))).toEqual([])
    expect(instanceFor(one, home).name).not.toBe(instanceFor(other, home).name)
  })
})

describe('a socket path', () => {
  const longest = `/${'a'.repeat(103 - '//.privateconnect/agent.sock'.length)}`

  test('of 103 bytes is used as it is', () => {
    expect(instanceFor(undefined, longest).socketPath).toBe(`${longest}/.privateconnect/agent.sock`)
  })

  test.for([
    ['too long by one byte', `${longest}a`],
    ['too long by its bytes, not its characters', longest.replace('a', 'ä')],
    ['far too long', `/${'a'.repeat(250)}/${'b'.repeat(250)}`],
  ] as const)('that is %s falls back to a short folder of ours', ([, tooLong]) => {
    const { socketPath } = instanceFor(undefined, tooLong)
    expect(path.dirname(socketPath)).toBe(userFolder())
    expect(Buffer.byteLength(socketPath)).toBeLessThan(104)
    expect(instanceFor(undefined, tooLong).socketPath).toBe(socketPath)
    expect(instanceFor(undefined, `${tooLong}b`).socketPath).not.toBe(socketPath)
  })

  test('does not depend on TMPDIR, which the daemon and a shell may see differently', () => {
    const before = process.env.TMPDIR
    const found = ['/tmp', '/var/tmp'].map((folder) => {
      process.env.TMPDIR = folder
      return instanceFor(undefined, `${longest}a`).socketPath
    })
    if (before === undefined) delete process.env.TMPDIR
    else process.env.TMPDIR = before
    expect(found[0]).toBe(found[1])
  })
})

describe('the folder where processes of a user meet', () => {
  test('is one that all users can make, and the same for every home', () => {
    const shared = scratchFolder()
    const folder = userFolder('/home/ada', shared)
    expect(folder).toBe(path.join(shared, `private-connect-${process.getuid?.()}`))
    mkdirSync(folder)
    expect(userFolder('/home/ada/other', shared)).toBe(folder)
  })

  test.skipIf(process.getuid?.() !== 0)('is one of the home while another user has that name', () => {
    const shared = scratchFolder()
    const taken = userFolder('/home/ada', shared)
    const take: readonly (() => void)[] = [
      () => mkdirSync(taken),
      () => writeFileSync(taken, ''),
      () => symlinkSync('/', taken),
    ]
    for (const make of take) {
      make()
      lchownSync(taken, 65_534, 65_534)
      expect(userFolder('/home/ada', shared)).toBe('/home/ada/.privateconnect/run')
      rmSync(taken, { recursive: true })
    }
    expect(userFolder('/home/ada', shared)).toBe(taken)
  })
})
