/**
 * As people read a clock: local time, to the second. --json has the exact form.
 *
 * @param time RFC 3339
 */
export function localTime(time: string): string {
  const date = new Date(time)
  if (Number.isNaN(date.getTime())) return 'Invalid Date'
  // Not by toLocaleString: to load what that needs takes half as long as `node -e 0`.
  const local = new Date(date.getTime() - date.getTimezoneOffset() * 60_000)
  return local.toISOString().slice(0, 'YYYY-MM-DDTHH:MM:SS'.length).replace('T', ' ')
}
