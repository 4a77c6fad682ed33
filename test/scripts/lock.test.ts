import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
// @ts-expect-error plain JavaScript, for any Node from 18 on
import { withLock } from '../../scripts/lock.js'

let folder: string
let lock: string

beforeEach(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'lock-'))
  lock = path.join(folder, 'lock')
})

afterEach(() => rmSync(folder, { recursive: true }))

test('the next one waits until the lock is free', async () => {
  const order: string[] = []
  const { promise: mayEnd, resolve: end } = Promise.withResolvers<void>()
  const first = withLock(lock, async () => {
    await mayEnd
    order.push('first')
  })
  const second = withLock(lock, async () => order.push('second'))
  end()
  await Promise.all([first, second])
  expect(order).toEqual(['first', 'second'])
  expect(existsSync(lock)).toBe(false)
})

test('a lock whose owner is gone is taken over', async () => {
  const { pid } = spawnSync(process.execPath, ['-e', '0'])
  mkdirSync(path.join(lock, String(pid)), { recursive: true })
  expect(await withLock(lock, async () => 'done')).toBe('done')
})

test('the lock is free again after a failure', async () => {
  await expect(withLock(lock, () => Promise.reject(new Error('no')))).rejects.toThrow('no')
  expect(existsSync(lock)).toBe(false)
})
