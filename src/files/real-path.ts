import { realpathSync } from 'node:fs'
import { codeOf } from '../errors.ts'

/** @returns undefined if the path leads nowhere, in a circle, or through a folder that is not ours to read */
export function realPathIfThere(file: string): string | undefined {
  try {
    return realpathSync(file)
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return undefined
  }
}
