import { readFileSync } from 'node:fs'
import path from 'node:path'

export const fixtures = path.join(import.meta.dirname, '..', '..', '..', 'fixtures', 'launchd')

/** What launchctl said on a real machine. */
export function sample(name: string): string {
  return readFileSync(path.join(fixtures, `${name}.txt`), 'utf8')
}

/** The label that the first line names. */
export function labelIn(text: string): string {
  return /^(?:\S+\/)?([^/ ]+) = \{/.exec(text)![1]!
}
