/**
 * As people read a clock: local time, to the second. --json has the exact form.
 *
 * @param time RFC 3339
 */
export function localTime(time: string): string {
  return new Date(time).toLocaleString('sv-SE')
}
