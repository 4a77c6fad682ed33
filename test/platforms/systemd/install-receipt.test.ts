import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, test } from 'vitest'
import { makeRecordedFolder } from '../../../src/platforms/made-folders.ts'
import {
  clearReceipt,
  folderReceipt,
  readReceipt,
  writeReceipt,
} from '../../../src/platforms/systemd/install-receipt.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const units = (home: string) => path.join(home, '.config', 'systemd', 'user')

test('folders that were made are removed again, those that were there stay', () => {
  const home = scratchFolder()
  mkdirSync(path.join(home, '.config'))
  makeRecordedFolder(units(home), folderReceipt(home))
  expect(readReceipt(home).folders).toEqual([path.join(home, '.config', 'systemd'), units(home)])
  clearReceipt(home)
  expect(existsSync(path.join(home, '.config'))).toBe(true)
  expect(existsSync(path.join(home, '.config', 'systemd'))).toBe(false)
  expect(readReceipt(home)).toEqual({ folders: [], lingering: false })
})

test('a folder that someone has put something into stays, with those above it', () => {
  const home = scratchFolder()
  makeRecordedFolder(units(home), folderReceipt(home))
  writeFileSync(path.join(home, '.config', 'theirs'), '')
  clearReceipt(home)
  expect(existsSync(path.join(home, '.config', 'theirs'))).toBe(true)
  expect(existsSync(path.join(home, '.config', 'systemd'))).toBe(false)
})

test('a folder that is gone already is no error, and what is remembered adds up', () => {
  const home = scratchFolder()
  makeRecordedFolder(units(home), folderReceipt(home))
  writeReceipt(home, { ...readReceipt(home), lingering: true })
  makeRecordedFolder(path.join(home, 'other'), folderReceipt(home))
  expect(readReceipt(home)).toMatchObject({ lingering: true, folders: { length: 4 } })
  writeReceipt(home, { folders: [path.join(home, 'gone'), ...readReceipt(home).folders], lingering: true })
  clearReceipt(home)
  expect(existsSync(path.join(home, '.config'))).toBe(false)
})

test('a damaged file is an error, and stays', () => {
  const home = scratchFolder()
  makeRecordedFolder(units(home), folderReceipt(home))
  const file = path.join(home, '.privateconnect', 'systemd.json')
  writeFileSync(file, '{')
  expect(thrownBy(() => clearReceipt(home)).code).toBe('CONFIG_DAMAGED')
  expect(existsSync(file)).toBe(true)
})
