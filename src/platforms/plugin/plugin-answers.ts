import * as v from 'valibot'
import { InstanceProcess } from '../../control/process-record.ts'

/* What a plugin's platform may answer: whatever else it gives is refused. */

const WholeNumber = v.pipe(v.number(), v.integer())
const Pid = v.pipe(WholeNumber, v.minValue(1))

const RFC_3339 = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/
const Time = v.pipe(
  v.string(),
  v.check((text) => RFC_3339.test(text) && !Number.isNaN(Date.parse(text)), 'not a time as of RFC 3339'),
)

const Texts = v.array(v.string())

const Autostart = v.picklist(['boot', 'login', 'manager', 'never'])

const Change = v.picklist(['created', 'updated', 'unchanged'])

export const PlanAnswer = v.object({
  change: v.exactOptional(Change),
  files: v.array(v.object({ file: v.string(), content: v.string() })),
  commands: v.array(Texts),
  warnings: v.exactOptional(Texts),
})

export const StartedAnswer = v.object({ pid: Pid, ready: v.boolean(), updated: v.optional(v.string()) })

export const InstalledAnswer = v.object({
  ...StartedAnswer.entries,
  change: Change,
  file: v.optional(v.string()),
  autostart: Autostart,
  warnings: v.optional(Texts, []),
})

export const UninstalledAnswer = v.object({
  removed: Texts,
  warnings: v.optional(Texts, []),
})

export const StatusAnswer = v.object({
  state: v.picklist(['running', 'starting', 'restarting', 'stopping', 'stopped', 'unknown']),
  pid: v.optional(Pid),
  reason: v.optional(v.string()),
  startedAt: v.optional(Time),
  installed: v.boolean(),
  // A plugin from before there was this answer promises nothing.
  autostart: v.optional(Autostart, 'never'),
  bootHint: v.optional(v.string()),
  restarts: v.optional(v.pipe(WholeNumber, v.minValue(0))),
  lastExit: v.optional(v.object({ code: v.nullable(WholeNumber), signal: v.nullable(v.string()) })),
  doubled: v.optional(v.string()),
  notes: v.optional(Texts),
  cleanedUp: v.optional(v.boolean()),
  foregroundPid: v.optional(Pid),
  background: v.optional(
    v.variant('state', [
      v.object({ state: v.literal('running'), agent: InstanceProcess }),
      v.object({ state: v.literal('unknown'), reason: v.string() }),
    ]),
  ),
})

export const SkippedAnswer = v.optional(v.object({ skipped: v.string() }))

export const ActionAnswer = v.object({
  steps: v.array(
    v.object({
      title: v.pipe(v.string(), v.nonEmpty()),
      waitMs: v.optional(v.pipe(v.number(), v.minValue(0))),
      run: v.function(),
    }),
  ),
  result: v.function(),
})
