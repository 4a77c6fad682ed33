import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  claimInstanceName,
  holderOfHubName,
  releaseHubName,
  releaseInstanceName,
} from '../../src/config/claimed-names.ts'
import { instanceFor } from '../../src/config/instance.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const nameOf = (configFile: string, home: string) => instanceFor(configFile, home).name

test('an instance has the name of its file, until another one of that name has claimed it', () => {
  const home = scratchFolder()
  expect(nameOf('/a/staging.json', home)).toBe('staging')
  expect(nameOf('/b/staging.json', home)).toBe('staging')
  claimInstanceName(instanceFor('/a/staging.json', home), home)
  claimInstanceName(instanceFor('/a/staging.json', home), home)
  expect(nameOf('/a/staging.json', home)).toBe('staging')
  expect(nameOf('/b/staging.json', home)).toMatch(/^staging-[0-9a-f]{8}$/)
  expect(nameOf('/c/staging.json', home)).not.toBe(nameOf('/b/staging.json', home))
  expect(nameOf('/b/other.json', home)).toBe('other')
})

test('one that came second takes nothing away, and gives nothing back that it has not', () => {
  const home = scratchFolder()
  const [first, second] = ['/a/staging.json', '/b/staging.json'].map((file) => instanceFor(file, home))
  claimInstanceName(first!, home)
  claimInstanceName(second!, home)
  releaseInstanceName(second!, home)
  expect(nameOf('/a/staging.json', home)).toBe('staging')
  releaseInstanceName(first!, home)
  expect(nameOf('/b/staging.json', home)).toBe('staging')
})

test('the default instance is called default, and claims nothing', () => {
  const home = scratchFolder()
  const instance = instanceFor(undefined, home)
  expect(instance.name).toBe('default')
  claimInstanceName(instance, home)
  expect(nameOf('/a/default.json', home)).toMatch(/^default\.json-[0-9a-f]{8}$/)
})

test('the claim is a private file that names the config; one that can’t be made is told', () => {
  const home = scratchFolder()
  claimInstanceName(instanceFor('/a/staging.json', home), home)
  const file = path.join(home, '.privateconnect', 'instances', 'staging')
  expect(readFileSync(file, 'utf8')).toBe('/a/staging.json\n')
  expect(statSync(file).mode & 0o777).toBe(0o600)
  expect(statSync(path.dirname(file)).mode & 0o777).toBe(0o700)
  const broken = scratchFolder()
  mkdirSync(path.join(broken, '.privateconnect'))
  writeFileSync(path.join(broken, '.privateconnect', 'instances'), '')
  const instance = instanceFor('/a/staging.json', broken)
  expect(thrownBy(() => claimInstanceName(instance, broken)).code).toBe('WRITE_FAILED')
})

test('the hub’s name is no agent’s, but for one that has claimed it before', () => {
  const home = scratchFolder()
  const instance = instanceFor('/a/hub.json', home)
  expect(instance.name).toMatch(/^hub-[0-9a-f]{8}$/)
  // Its files are where they always were.
  expect(instance.servicesFile).toBe('/a/hub.services.json')
  claimInstanceName(instance, home)
  expect(holderOfHubName(home)).toBeUndefined()
  const registry = path.join(home, '.privateconnect', 'instances')
  mkdirSync(registry, { recursive: true })
  writeFileSync(path.join(registry, 'hub'), '/a/hub.json\n')
  expect(nameOf('/a/hub.json', home)).toBe('hub')
  expect(nameOf('/b/hub.json', home)).toMatch(/^hub-[0-9a-f]{8}$/)
  expect(holderOfHubName(home)).toBe('/a/hub.json')
  releaseHubName(home)
  expect(nameOf('/a/hub.json', home)).toBe(instance.name)
})
