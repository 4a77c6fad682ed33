import { statSync } from 'node:fs'
import { codeOf } from '../../../errors.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'
import { setClockCommand } from '../../set-clock.ts'

/** When this version was made: no clock that is right shows a time before that. */
const MADE_AT = Date.parse('2026-11-01T00:00:00Z')

/** Files may have been written by another machine, whose clock is a little ahead; in ms. */
const AHEAD_MS = 5 * 60_000

/** Against what is on this machine; against the hub's clock is another check's. */
export const ownClock: Check<DoctorContext> = {
  name: 'own-clock',
  group: 'machine',
  title: 'Clock',
  async run({ instance }) {
    const now = Date.now()
    const said = `It shows ${new Date(now).toISOString().slice(0, 16).replace('T', ' ')} UTC`
    const fix = `Set it: ${setClockCommand()}`
    if (now < MADE_AT)
      return { state: 'failed', seen: `${said}, which was before this version was made`, fix }
    const { configFile, logFile, recordFile } = instance
    const written = Math.max(0, ...[configFile, logFile, recordFile].map(writtenAt))
    if (written > now + AHEAD_MS) {
      const minutes = Math.round((written - now) / 60_000)
      const seen = `${said}, and files of ours were written ${minutes} minutes after that`
      return { state: 'warning', seen, fix }
    }
    return { state: 'ok', seen: said }
  },
}

/** 0 if it is not there, or can't be looked at. */
function writtenAt(file: string): number {
  try {
    return statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0
  } catch (error) {
    if (codeOf(error) === undefined) throw error
    return 0
  }
}
