import { statSync, type Stats } from 'node:fs'
import { codeOf } from '../errors.ts'

/** Whether two paths lead to one file, by links of whatever kind. What can't be looked at is no other's. */
export function isSameFile(one: string, other: string): boolean {
  const [found, wanted] = [statOf(one), statOf(other)]
  return found !== undefined && found.dev === wanted?.dev && found.ino === wanted.ino
}

/** @returns undefined if it can't be looked at, most likely since it is not there */
export function statOf(file: string): Stats | undefined {
  try {
    return statSync(file)
  } catch (error) {
    if (codeOf(error) !== undefined) return undefined
    throw error
  }
}
