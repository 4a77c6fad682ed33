import { mkdirSync, readdirSync, renameSync, rmdirSync, rmSync } from 'node:fs'
import path from 'node:path'
import process from 'node:process'
import { setTimeout as sleep } from 'node:timers/promises'

/**
 * Runs an action while no other process does. The lock is a folder that holds one entry, named for the
 * owner's pid. The folder appears whole, since it is renamed into place, and only an owner that is gone is
 * removed, by its own name.
 */
export async function withLock(folder, action) {
  for (let tries = 0; !tryLock(folder); tries++) {
    const [owner] = entriesOf(folder)
    if (tries === 10 && owner) {
      console.error(
        `Waiting for process ${owner}, which installs or builds here (if it does not: rm -r ${folder}) …`,
      )
    }
    await sleep(100)
  }
  try {
    return await action()
  } finally {
    release(folder, String(process.pid))
  }
}

function tryLock(folder) {
  for (const owner of entriesOf(folder)) if (!isAlive(Number(owner))) release(folder, owner)
  const mine = `${folder}.${process.pid}`
  mkdirSync(path.join(mine, String(process.pid)), { recursive: true })
  try {
    // rename(2): the folder that is there already is replaced only if it is empty.
    renameSync(mine, folder)
    return true
  } catch (error) {
    rmSync(mine, { recursive: true, force: true })
    if (['ENOTEMPTY', 'EEXIST'].includes(error.code)) return false
    // The same on Windows.
    if (error.code === 'EPERM' && process.platform === 'win32') return false
    throw error
  }
}

function release(folder, owner) {
  unless(['ENOENT'], () => rmdirSync(path.join(folder, owner)))
  // Another process may have the lock by now.
  unless(['ENOENT', 'ENOTEMPTY', 'EEXIST'], () => rmdirSync(folder))
}

function entriesOf(folder) {
  return unless(['ENOENT'], () => readdirSync(folder)) ?? []
}

/** @returns undefined if the action failed with one of these codes */
function unless(codes, action) {
  try {
    return action()
  } catch (error) {
    if (codes.includes(error.code)) return undefined
    throw error
  }
}

function isAlive(pid) {
  try {
    process.kill(pid, 0)
    return true
  } catch (error) {
    return error.code === 'EPERM'
  }
}
