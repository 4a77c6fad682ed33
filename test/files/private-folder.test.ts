import { chmodSync, chownSync, mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { describe, expect, test } from 'vitest'
import { ensurePrivateFolder } from '../../src/files/private-folder.ts'
import { asNobody } from '../fixtures/machine/as-nobody.ts'
import { scratchFolder } from '../fixtures/scratch.ts'
import { thrownBy } from '../fixtures/thrown-by.ts'

const modeOf = (folder: string) => statSync(folder).mode & 0o777

test('a folder of ours is made, with those above it, for us alone', () => {
  const folder = path.join(scratchFolder(), 'a', 'b')
  ensurePrivateFolder(folder)
  expect(modeOf(folder)).toBe(0o700)
  ensurePrivateFolder(folder)
  expect(modeOf(folder)).toBe(0o700)
})

test.for([0o755, 0o750, 0o707, 0o777])('one that is there with mode %o is closed to others', (mode) => {
  const folder = scratchFolder()
  chmodSync(folder, mode)
  ensurePrivateFolder(folder)
  expect(modeOf(folder)).toBe(0o700)
})

test('a stricter mode is left', () => {
  const folder = scratchFolder()
  chmodSync(folder, 0o500)
  ensurePrivateFolder(folder)
  expect(modeOf(folder)).toBe(0o500)
})

describe('an error says what is wrong with', () => {
  test('another user’s folder', () => {
    // A plain user finds one of root’s; root makes one of someone else’s.
    let folder = '/'
    if (process.getuid?.() === 0) {
      folder = scratchFolder()
      chownSync(folder, 65_534, 65_534)
    }
    const before = modeOf(folder)
    const error = thrownBy(() => ensurePrivateFolder(folder))
    expect(error.code).toBe('WRITE_FAILED')
    expect(error.message).toBe(`Could not use the folder ${folder}: it belongs to another user`)
    expect(error.hints[1]).toBe(`  sudo chown ${process.getuid?.()} ${folder}`)
    const inShared = thrownBy(() => ensurePrivateFolder(folder, { inSharedFolder: true }))
    expect(inShared.message).toBe(error.message)
    expect(inShared.hints).toEqual([`Have it deleted: sudo rm -r ${folder}`])
    expect(modeOf(folder)).toBe(before)
  })

  test('a file in its place', () => {
    const file = path.join(scratchFolder(), 'file')
    writeFileSync(file, '')
    expect(thrownBy(() => ensurePrivateFolder(file)).message).toMatch(
      /^Could not use the folder .*: not a folder$/,
    )
  })

  test('a folder above it that may not be written to', () => {
    const folder = scratchFolder()
    chmodSync(folder, 0o555)
    const error = asNobody(() => thrownBy(() => ensurePrivateFolder(path.join(folder, 'ours'))))
    expect(error.message).toMatch(/^Could not use the folder .*: EACCES/)
  })
})

describe('a link to a folder of ours', () => {
  const linked = () => {
    const folder = scratchFolder()
    mkdirSync(path.join(folder, 'target'))
    symlinkSync('target', path.join(folder, 'link'))
    return path.join(folder, 'link')
  }

  test('is followed in our own home', () => {
    const link = linked()
    ensurePrivateFolder(link)
    expect(modeOf(link)).toBe(0o700)
  })

  test('is refused in a folder that others write to as well, and its target is left alone', () => {
    const link = linked()
    chmodSync(link, 0o755)
    const error = thrownBy(() => ensurePrivateFolder(link, { inSharedFolder: true }))
    expect(error.message).toBe(`Could not use the folder ${link}: not a folder`)
    expect(modeOf(link)).toBe(0o755)
  })

  test('that leads nowhere is refused', () => {
    const link = path.join(scratchFolder(), 'link')
    symlinkSync('nowhere', link)
    expect(thrownBy(() => ensurePrivateFolder(link, { inSharedFolder: true })).code).toBe('WRITE_FAILED')
  })
})
