import type { KeptStatus } from '../../../tasks/kept-status.ts'
import { printable } from '../../../text/printable.ts'
import { localTime } from '../../../text/local-time.ts'

/** When it starts by itself, in words. */
export const STARTS = {
  boot: 'on boot',
  login: 'on login',
  manager: 'whenever its service manager starts, which may not be on boot',
  never: 'no',
} as const

/** A line for each field that there is; one without a name is a sentence. */
export function fields(rows: [name: string, value: string | undefined][]): string[] {
  return rows.flatMap(([name, value]) =>
    value === undefined ? [] : [`    ${name === '' ? '' : `${name}: `}${value}`],
  )
}

/** How it ended the last time, in words. */
export function lastExit({ at, reason, code }: NonNullable<KeptStatus['lastExit']>): string {
  const details = [at === null ? undefined : localTime(at), code === null ? undefined : `exit code ${code}`]
  const known = details.filter((detail) => detail !== undefined).join(', ')
  return printable(known === '' ? reason : `${reason} (${known})`)
}
