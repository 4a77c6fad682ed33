import type { Stats } from 'node:fs'
import * as v from 'valibot'
import type { ErrorCode } from '../error-codes.ts'
import { ConnectError, messageOf } from '../errors.ts'
import { describeIssue } from '../text/describe-issue.ts'
import { shellQuote } from '../text/shell-quote.ts'
import { readText } from './read-text.ts'
import { belongsToUs, checkTrusted } from './trust.ts'

const MAX_BYTES = 4 * 1024 * 1024

/**
 * Reads and checks a JSON file of ours.
 *
 * @returns undefined if there is no such file; anything else that is wrong is an error, never "no file"
 * @throws ConnectError CONFIG_UNREADABLE, FILE_UNTRUSTED, CONFIG_EXPOSED (with `secret`),
 * CONFIG_NEWER, or `damaged`
 */
export function readJson<T>(
  file: string,
  schema: v.GenericSchema<unknown, T>,
  options: { version: number; damaged: ErrorCode; secret?: boolean },
): T | undefined {
  const text = readText(file, (found) => checkStats(file, found, options))
  if (text === undefined) return undefined
  let value: unknown
  try {
    value = JSON.parse(text)
  } catch (error) {
    // The parser quotes what stands around the mistake, which may be half a key.
    const where = options.secret ? '' : ` (${messageOf(error)})`
    throw new ConnectError(options.damaged, `${file} is not valid JSON${where}`, { cause: error })
  }
  const version = v.safeParse(v.object({ version: v.number() }), value)
  if (version.success && version.output.version > options.version) {
    throw new ConnectError('CONFIG_NEWER', `${file} was written by a newer version of Private Connect`)
  }
  const parsed = v.safeParse(schema, value)
  if (parsed.success) return parsed.output
  throw new ConnectError(options.damaged, `${file} is damaged: ${describeIssue(parsed.issues)}`)
}

function checkStats(file: string, found: Stats, options: { damaged: ErrorCode; secret?: boolean }): void {
  if (found.size > MAX_BYTES) throw new ConnectError(options.damaged, `${file} is damaged: far too large`)
  if (options.secret && process.platform !== 'win32' && belongsToUs(found) && (found.mode & 0o077) !== 0) {
    const mode = (found.mode & 0o777).toString(8)
    throw new ConnectError('CONFIG_EXPOSED', `${file} can be read by other users (mode ${mode})`, {
      hints: [`Run: chmod 600 ${shellQuote(file)}`],
    })
  }
  checkTrusted(file, found)
}
