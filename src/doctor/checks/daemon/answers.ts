import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** An agent that hangs holds its instance, and serves nobody. */
export const answers: Check<DoctorContext> = {
  name: 'answers',
  group: 'daemon',
  title: 'Answers',
  timeoutMs: 7000,
  async run(context) {
    const said = await context.agent()
    if (!said) return { state: 'skipped', seen: 'No agent runs' }
    if (said.status) return { state: 'ok', seen: 'On its socket' }
    return {
      state: 'failed',
      seen: `No: ${said.silence}`,
      fix: 'Run: connect daemon restart (an agent in a terminal: end it there)',
    }
  },
}
