import * as v from 'valibot'
import { describeIssue } from '../../text/describe-issue.ts'
import { sentenceOf } from './plugin-error.ts'

/** Reads what a plugin gave. An object of its own may throw when it is looked at. */
export function readGiven<T>(
  schema: v.GenericSchema<unknown, T>,
  given: unknown,
): { readonly output: T } | { readonly why: string } {
  try {
    const parsed = v.safeParse(schema, given)
    return parsed.success ? { output: parsed.output } : { why: describeIssue(parsed.issues) }
  } catch (error) {
    return { why: sentenceOf(error) }
  }
}
