import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import {
  clearTraces,
  makeRememberedFolder,
  readTraces,
  writeTraces,
} from '../../../src/platforms/systemd/traces.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const units = (home: string) => path.join(home, '.config', 'systemd', 'user')

test('folders that were made are removed again, those that were there stay', () => {
  const home = scratchFolder()
  mkdirSync(path.join(home, '.config'))
  makeRememberedFolder(home, units(home))
  expect(readTraces(home).folders).toEqual([path.join(home, '.config', 'systemd'), units(home)])
  clearTraces(home)
  expect(existsSync(path.join(home, '.config'))).toBe(true)
  expect(existsSync(path.join(home, '.config', 'systemd'))).toBe(false)
  expect(readTraces(home)).toEqual({ folders: [], lingering: false })
})

test('a folder that someone has put something into stays, with those above it', () => {
  const home = scratchFolder()
  makeRememberedFolder(home, units(home))
  writeFileSync(path.join(home, '.config', 'theirs'), '')
  clearTraces(home)
  expect(existsSync(path.join(home, '.config', 'theirs'))).toBe(true)
  expect(existsSync(path.join(home, '.config', 'systemd'))).toBe(false)
})

test('a folder that is gone already is no error, and what is remembered adds up', () => {
  const home = scratchFolder()
  makeRememberedFolder(home, units(home))
  writeTraces(home, { ...readTraces(home), lingering: true })
  makeRememberedFolder(home, path.join(home, 'other'))
  expect(readTraces(home)).toMatchObject({ lingering: true, folders: { length: 4 } })
  writeTraces(home, { folders: [path.join(home, 'gone'), ...readTraces(home).folders], lingering: true })
  clearTraces(home)
  expect(existsSync(path.join(home, '.config'))).toBe(false)
})

test('a damaged file is an error, and stays', () => {
  const home = scratchFolder()
  makeRememberedFolder(home, units(home))
  const file = path.join(home, '.privateconnect', 'systemd.json')
  writeFileSync(file, '{')
  expect(thrownBy(() => clearTraces(home)).code).toBe('CONFIG_DAMAGED')
  expect(existsSync(file)).toBe(true)
})
