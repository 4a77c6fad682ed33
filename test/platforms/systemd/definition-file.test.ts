import { existsSync, mkdirSync, readdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { UnitFile } from '../../../src/platforms/systemd/definition-file.ts'
import { readReceipt } from '../../../src/platforms/systemd/install-receipt.ts'
import { unitNames, type UnitNames } from '../../../src/platforms/systemd/manager/names.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

let home: string
let names: UnitNames
let unit: UnitFile

beforeEach(() => {
  home = scratchFolder()
  names = unitNames({ instance: instanceFor(undefined, home), env: {} }, home)
  unit = new UnitFile(names, home)
})

test('where nothing was installed there is no unit, and nothing of one', () => {
  expect(unit).toMatchObject({
    isThere: false,
    isEnabled: false,
    isEmpty: false,
    link: undefined,
    dropIns: undefined,
  })
  expect(unit.read()).toBeUndefined()
})

describe('what is written', () => {
  test('is read again; others may read it, and the folders that it took are remembered', () => {
    unit.write('[Unit]\n')
    expect(unit).toMatchObject({ isThere: true, isEmpty: false, link: undefined, isEnabled: false })
    expect(unit.read()).toBe('[Unit]\n')
    expect(statSync(names.file).mode & 0o777).toBe(0o644)
    expect(readReceipt(home).folders).toEqual([
      path.join(home, '.config'),
      path.join(home, '.config', 'systemd'),
      names.folder,
    ])
    unit.remove()
    expect(readdirSync(names.folder)).toEqual([])
  })

  test('says so if it was emptied', () => {
    unit.write('')
    expect(unit.isEmpty).toBe(true)
  })

  test('can’t be where a file has the place of its folder', () => {
    writeFileSync(path.join(home, '.config'), '')
    const error = thrownBy(() => unit.write('[Unit]\n'))
    expect(error.code).toBe('WRITE_FAILED')
    expect(error.message).toMatch(new RegExp(`^Could not make ${names.folder}: E(NOTDIR|EXIST)`))
    expect(error.cause).toMatchObject({ syscall: 'mkdir' })
  })
})

test('a link in its place is seen, also one that leads nowhere', () => {
  mkdirSync(names.folder, { recursive: true })
  symlinkSync('/nowhere/at.all', names.file)
  expect(unit).toMatchObject({ isThere: true, link: '/nowhere/at.all' })
})

test('settings of the user’s own are seen', () => {
  mkdirSync(`${names.file}.d`, { recursive: true })
  expect(unit.dropIns).toBe(`${names.file}.d`)
})

describe('what systemctl enable has made', () => {
  const enable = () => {
    mkdirSync(path.dirname(names.wantedBy), { recursive: true })
    symlinkSync(names.file, names.wantedBy)
  }

  test('is removed, with its folder', () => {
    enable()
    expect(unit.isEnabled).toBe(true)
    unit.disable()
    expect(unit.isEnabled).toBe(false)
    expect(readdirSync(names.folder)).toEqual([])
  })

  test('leaves the folder to others who have something in it', () => {
    enable()
    const theirs = path.join(path.dirname(names.wantedBy), 'theirs.service')
    writeFileSync(theirs, '')
    unit.disable()
    expect(readdirSync(path.dirname(names.wantedBy))).toEqual(['theirs.service'])
  })

  test('is looked for first: an empty folder that is not ours stays, and none is no error', () => {
    unit.disable()
    mkdirSync(path.dirname(names.wantedBy), { recursive: true })
    unit.disable()
    expect(existsSync(path.dirname(names.wantedBy))).toBe(true)
  })
})
