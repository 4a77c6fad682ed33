import { existsSync } from 'node:fs'
import { tilde } from '../../../text/tilde.ts'
import type { Check } from '../../check.ts'
import type { DoctorContext } from '../../context.ts'

/** Which program runs this; one that is too old has been refused before. */
export const nodeVersion: Check<DoctorContext> = {
  name: 'node',
  group: 'machine',
  title: 'Node.js',
  async run() {
    const { version, execPath } = process
    const seen = `${version} at ${tilde(execPath)}`
    if (existsSync(execPath)) return { state: 'ok', seen }
    return { state: 'warning', seen: `${seen}, which is gone`, fix: 'Install Node.js again' }
  },
}
