import type { Check } from '../../check.ts'
import { PLATFORM_MS, type DoctorContext } from '../../context.ts'

/** Settings of the user's own are no fault, though they may be the cause of one. */
const HARMLESS = /^Settings of your own apply/

/** What else the service manager has to say: masked, disabled, changed and not read since. */
export const managerNotes: Check<DoctorContext> = {
  name: 'manager-notes',
  group: 'daemon',
  title: 'What stands in its way',
  timeoutMs: PLATFORM_MS,
  async run(context) {
    const { notes = [] } = await context.daemon()
    const faults = notes.filter((note) => !HARMLESS.test(note))
    const [first] = faults
    if (first === undefined) return { state: 'ok', seen: notes.length === 0 ? 'Nothing' : notes.join('; ') }
    const command = faults.map((note) => /\brun: (.+)$/i.exec(note)?.[1]).find((it) => it !== undefined)
    return {
      state: 'warning',
      seen: faults.map((note) => note.replace(/\. Run: .+$/, '')).join('; '),
      fix: command === undefined ? 'Look at it: connect daemon status' : `Run: ${command}`,
    }
  },
}
