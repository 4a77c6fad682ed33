import { lstatSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { parse } from 'plist'
import * as v from 'valibot'

/** The keys of launchd.plist(5) that this launchd knows; another one would be a mistake of ours. */
const JobPlist = v.strictObject({
  Label: v.string(),
  ProgramArguments: v.pipe(v.array(v.string()), v.minLength(1)),
  EnvironmentVariables: v.optional(v.record(v.string(), v.string()), {}),
  WorkingDirectory: v.optional(v.string(), '/'),
  RunAtLoad: v.optional(v.boolean(), false),
  KeepAlive: v.optional(
    v.strictObject({ SuccessfulExit: v.boolean(), NetworkState: v.optional(v.boolean()) }),
  ),
  StandardOutPath: v.optional(v.string(), '/dev/null'),
  StandardErrorPath: v.optional(v.string(), '/dev/null'),
  ThrottleInterval: v.optional(v.number(), 10),
  ExitTimeOut: v.optional(v.number(), 20),
  ProcessType: v.optional(v.picklist(['Standard', 'Interactive', 'Background', 'Adaptive'])),
  LimitLoadToSessionType: v.optional(v.array(v.string()), ['Aqua']),
  Umask: v.optional(v.number(), 0o022),
})
export type JobPlist = v.InferOutput<typeof JobPlist>

/** @returns the exit code of `bootstrap` if launchd would not take it */
export function readJobPlist(file: string): JobPlist | number {
  const found = lstatSync(file, { throwIfNoEntry: false })
  if (!found || !path.isAbsolute(file)) return 5
  if (found.uid !== process.getuid?.() || (found.mode & 0o022) !== 0) return 122
  try {
    const plist = v.parse(JobPlist, parse(readFileSync(file, 'utf8')))
    return path.basename(file) === `${plist.Label}.plist` ? plist : 110
  } catch {
    return 109
  }
}
