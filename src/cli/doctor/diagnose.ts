import { ALL_CHECKS } from '../../doctor/checks/all.ts'
import { doctorContext, type DoctorContext, type Patient } from '../../doctor/context.ts'
import { mendAll, type Mended } from '../../doctor/mend.ts'
import { runChecks, type Checked } from '../../doctor/run-checks.ts'
import { agrees } from '../output/agrees.ts'

export interface DiagnoseOptions {
  /** Mend what can be mended, and look again. */
  readonly fix: boolean
  /** Ask before anything is mended. */
  readonly asks: boolean
  /** Someone watches: then a list moves. */
  readonly watched: boolean
  /** A line on stderr. */
  readonly tell: (line: string) => void
}

/** All answers have come by then, however much hangs: with the end of the process it is less than 15 s. */
const LOOK_MS = 13_500

/** What is mended first may have hidden more: a folder what lies in it. */
const MAX_ROUNDS = 3

type Known = Checked<DoctorContext>

/** What has been looked at, and what has come of that. */
interface Diagnosis {
  readonly context: DoctorContext
  readonly checked: readonly Known[]
}

/** @returns how everything is, once what could be mended is */
export async function diagnose(patient: Patient, options: DiagnoseOptions): Promise<Diagnosis> {
  // The clock begins with the process.
  let { context, checked } = await look(patient, options, LOOK_MS)
  const outcomes = new Map<string, Mended<DoctorContext>>()
  /** What was tried: mended in vain, it is not tried once more. */
  const tried = new Set<string>()
  for (let round = 0; options.fix && round < MAX_ROUNDS; round++) {
    const mendable = checked.filter((one) => one.mend && !tried.has(keyOf(one)))
    if (mendable.length === 0 || (options.asks && !(await isWanted(mendable, options)))) break
    for (const one of mendable) tried.add(keyOf(one))
    for (const outcome of await mendAll(mendable)) outcomes.set(outcome.check.name, outcome)
    ;({ context, checked } = await look(patient, options, performance.now() + LOOK_MS))
  }
  return { context, checked: checked.map((one) => ({ ...one, ...outcomes.get(one.check.name) })) }
}

async function look(patient: Patient, { watched }: DiagnoseOptions, untilMs: number): Promise<Diagnosis> {
  const context = doctorContext(patient)
  const run = (onChecked?: (one: Known) => void) =>
    runChecks(ALL_CHECKS, context, { untilMs, ...(onChecked && { onChecked }) })
  if (!watched) return { context, checked: await run() }
  const { watchChecks } = await import('./watch-checks.ts')
  return { context, checked: await watchChecks(ALL_CHECKS, run) }
}

function keyOf({ check, seen }: Known): string {
  return `${check.name}: ${seen}`
}

async function isWanted(mendable: readonly Known[], { tell }: DiagnoseOptions): Promise<boolean> {
  tell('To be mended:')
  for (const { check, seen, fix } of mendable) {
    tell(`  ${check.title}: ${seen}`)
    if (fix !== undefined) tell(`    ${fix}`)
  }
  return agrees('Mend that now? [Y/n] ')
}
