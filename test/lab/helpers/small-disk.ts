import { spawnSync } from 'node:child_process'
import { closeSync, mkdirSync, openSync, rmSync, writeFileSync, writeSync } from 'node:fs'
import path from 'node:path'
import { onTestFinished } from 'vitest'
import { codeOf } from '../../../src/errors.ts'
import { runOk } from './run.ts'

/** A disk of its own that is mounted on a folder until the end of the test. */
export interface SmallDisk {
  /** Fills it to the last byte, so that not even an empty file can be made. */
  fill(): void
  /** Frees what fill took. */
  free(): void
  readOnly(on: boolean): Promise<void>
}

/** The most files that it holds. */
const INODES = 200

/** @param size in tmpfs(5)’s words */
export async function mountSmallDisk(folder: string, size = '1m'): Promise<SmallDisk> {
  mkdirSync(folder, { recursive: true })
  await runOk('mount', ['-t', 'tmpfs', '-o', `size=${size},nr_inodes=${INODES},mode=0700`, 'none', folder])
  // Lazily: whatever still has a file open there must not keep the mount.
  onTestFinished(() => void spawnSync('umount', ['--lazy', folder]))
  const filling = path.join(folder, 'filling')
  return {
    fill() {
      mkdirSync(filling)
      const descriptor = openSync(path.join(filling, 'bytes'), 'w')
      for (const size of [4096, 1]) untilFull(() => writeSync(descriptor, Buffer.alloc(size)))
      closeSync(descriptor)
      let count = 0
      untilFull(() => writeFileSync(path.join(filling, String(count++)), ''))
    },
    free: () => rmSync(filling, { recursive: true }),
    readOnly: async (on) => void (await runOk('mount', ['-o', `remount,${on ? 'ro' : 'rw'}`, folder])),
  }
}

function untilFull(write: () => void): void {
  try {
    for (;;) write()
  } catch (error) {
    if (codeOf(error) !== 'ENOSPC') throw error
  }
}
