import {
  chownSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, test } from 'vitest'
import { instanceFor } from '../../../src/config/instance.ts'
import { PlistFile } from '../../../src/platforms/launchd/definition-file.ts'
import { readReceipt } from '../../../src/platforms/launchd/install-receipt.ts'
import { jobNames, type JobNames } from '../../../src/platforms/launchd/manager/names.ts'
import { scratchFolder } from '../../fixtures/scratch.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const NOBODY = 65_534

let home: string
let names: JobNames
let plist: PlistFile

beforeEach(() => {
  home = scratchFolder()
  names = jobNames({ instance: instanceFor(undefined, home), env: { HOME: home } })
  plist = new PlistFile(names)
})

test('where nothing was installed there is no plist, and nothing in the way of one', () => {
  expect(plist.isThere).toBe(false)
  expect(plist.read()).toBeUndefined()
  expect(() => plist.checkIsOurs()).not.toThrow()
})

test('what is put there is read again, others may read it, and its folders are remembered', () => {
  plist.put('<plist/>')
  expect(plist.isThere).toBe(true)
  expect(plist.read()).toBe('<plist/>')
  expect(statSync(names.file).mode & 0o777).toBe(0o644)
  expect(readReceipt(home).folders).toEqual([path.join(home, 'Library'), names.folder])
  expect(() => plist.checkIsOurs()).not.toThrow()
  plist.put(undefined)
  expect(readdirSync(names.folder)).toEqual([])
})

test('to put none where there is none makes no folder', () => {
  plist.put(undefined)
  expect(readdirSync(home)).toEqual([])
})

test('a file in the place of a folder is an error that names the folder', () => {
  writeFileSync(path.join(home, 'Library'), '')
  const error = thrownBy(() => plist.put('<plist/>'))
  expect(error.code).toBe('WRITE_FAILED')
  expect(error.message).toMatch(new RegExp(`^Could not make ${names.folder}: E(NOTDIR|EXIST)`))
  expect(error.cause).toMatchObject({ syscall: 'mkdir' })
})

test('what someone has written into it by hand is kept, for us alone', () => {
  plist.keepOld('<edited/>', home)
  const old = path.join(home, 'co.privateconnect.agent.plist.old')
  expect(readFileSync(old, 'utf8')).toBe('<edited/>')
  expect(statSync(old).mode & 0o777).toBe(0o600)
})

describe('it is not ours to write', () => {
  test('if it is a link, also one that leads nowhere', () => {
    mkdirSync(names.folder, { recursive: true })
    symlinkSync('/nowhere/at.all', names.file)
    expect(plist.isThere).toBe(true)
    const error = thrownBy(() => plist.checkIsOurs())
    expect(error).toMatchObject({
      code: 'INSTALL_UNSUPPORTED',
      message: `${names.file} is a link to /nowhere/at.all`,
    })
    expect(error.hints).toEqual(['Whatever has put it there keeps the plist; remove the link first.'])
  })

  test.skipIf(process.getuid === undefined)('if its folder is another user’s', () => {
    // Root alone can give a folder away, and everyone else has one that is root's.
    const isRoot = process.getuid?.() === 0
    if (isRoot) {
      mkdirSync(names.folder, { recursive: true })
      chownSync(names.folder, NOBODY, NOBODY)
    }
    const theirs = isRoot ? plist : new PlistFile({ ...names, folder: '/' })
    const error = thrownBy(() => theirs.checkIsOurs())
    expect(error.code).toBe('WRITE_FAILED')
    expect(error.message).toBe(
      `${isRoot ? names.folder : '/'} belongs to another user, or others may write to it`,
    )
  })
})
