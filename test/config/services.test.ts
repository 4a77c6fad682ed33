import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { instanceFor, type AgentInstance } from '../../src/config/instance.ts'
import { MAX_SERVICES, readServices, withService, writeServices } from '../../src/config/services.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const web = { name: 'web', host: 'localhost', port: 3000 }
const postgres = { name: 'postgres', host: '::1', port: 5432 }

function many(count: number) {
  return Array.from({ length: count }, (_, index) => ({ ...web, name: `s${index}` }))
}

function emptyInstance(): AgentInstance {
  return instanceFor(path.join(scratchFolder(), 'staging.json'))
}

test('nothing is exposed until something is', () => {
  expect(readServices(emptyInstance())).toEqual([])
})

test('what is exposed is read again, by name', () => {
  const instance = emptyInstance()
  writeServices(instance, [web, postgres])
  expect(readServices(instance)).toEqual([postgres, web])
  expect(statSync(instance.servicesFile).mode & 0o777).toBe(0o600)
})

test('a Unix socket is read again; only its file is one that older versions refuse', () => {
  const [instance, socket] = [emptyInstance(), { name: 'socket', path: '/run/x.sock' }]
  const version = () =>
    (JSON.parse(readFileSync(instance.servicesFile, 'utf8')) as { version: number }).version
  writeServices(instance, [web])
  expect(version()).toBe(1)
  writeServices(instance, [web, socket])
  expect(readServices(instance)).toEqual([socket, web])
  expect(version()).toBe(2)
  writeServices(instance, [web])
  expect(version()).toBe(1)
})

test('a service takes the place of one of the same name', () => {
  const moved = { ...web, port: 3001 }
  expect(withService([web, postgres], moved)).toEqual([postgres, moved])
})

test('one service more than the most is refused, one in the place of another is not', () => {
  const full = many(MAX_SERVICES)
  const error = thrownBy(() => withService(full, web))
  expect(error).toMatchObject({ code: 'BAD_VALUE', message: 'One agent exposes 200 services at most' })
  expect(error.hints).toEqual(['Take one back first: connect unexpose NAME'])
  expect(withService(full, { ...web, name: 's0' })).toHaveLength(MAX_SERVICES)
})

describe('a list of services', () => {
  const file = (services: unknown) => JSON.stringify({ version: 1, services })
  test.for([
    ['is empty', ''],
    ['is cut short', file([web]).slice(0, -5)],
    ['is not JSON', 'web=3000'],
    ['has no services', '{"version":1}'],
    ['has a service without a port', file([{ name: 'web', host: 'localhost' }])],
    ['has port 0', file([{ ...web, port: 0 }])],
    ['has port 65536', file([{ ...web, port: 65_536 }])],
    ['has half a port', file([{ ...web, port: 80.5 }])],
    ['has an empty host', file([{ ...web, host: '' }])],
    ['has a name that is none', file([{ ...web, name: '../web' }])],
    ['has a field that nobody knows', file([{ ...web, command: 'rm -rf /' }])],
    ['has a socket and a port', file([{ ...web, path: '/run/x' }])],
    ['has a socket of no absolute path', file([{ name: 'web', path: 'run/x' }])],
    ['has a socket of a path too long', file([{ name: 'web', path: `/${'x'.repeat(107)}` }])],
    ['has a socket of an unspeakable path', file([{ name: 'web', path: '/run/\u001b[31m' }])],
    ['has a name twice', file([web, { ...web, port: 1 }])],
    ['has more services than one agent may expose', file(many(MAX_SERVICES + 1))],
    ['is too large', `"${'a'.repeat(5 * 1024 * 1024)}"`],
  ] as const)('that %s is refused, and stays as it is', ([, text]) => {
    const instance = emptyInstance()
    writeFileSync(instance.servicesFile, text)
    const error = thrownBy(() => readServices(instance))
    expect(error.code).toBe('SERVICES_DAMAGED')
    expect(error.message).toContain(instance.servicesFile)
    expect(readFileSync(instance.servicesFile, 'utf8')).toBe(text)
  })

  test('of a newer version is not taken for a damaged one', () => {
    const instance = emptyInstance()
    writeFileSync(instance.servicesFile, '{"version":3,"services":{}}')
    expect(thrownBy(() => readServices(instance)).code).toBe('CONFIG_NEWER')
  })

  test('that is a folder is not "no services"', () => {
    const instance = emptyInstance()
    mkdirSync(instance.servicesFile)
    expect(thrownBy(() => readServices(instance)).code).toBe('CONFIG_UNREADABLE')
  })

  test.for([
    ['which entry', [postgres, { ...web, port: 'http' }], /: services\.1\.port: /],
    ['which path', [{ name: 'web', path: 5 }], /: services\.0\.path: /],
    ['that two share a name', [web, { ...web, port: 1 }], /: services: two have the same name$/],
    ['that there are too many', many(MAX_SERVICES + 1), /: services: more than 200 services$/],
  ] as const)('says what is wrong: %s', ([, services, message]) => {
    const instance = emptyInstance()
    writeFileSync(instance.servicesFile, file(services))
    expect(thrownBy(() => readServices(instance)).message).toMatch(message)
  })

  test('may hold as many as one agent may expose', () => {
    const instance = emptyInstance()
    writeFileSync(instance.servicesFile, file(many(MAX_SERVICES)))
    expect(readServices(instance)).toHaveLength(MAX_SERVICES)
  })
})
