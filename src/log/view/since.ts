import { ConnectError } from '../../errors.ts'
import { parseDuration } from '../../text/duration.ts'

const DATE = String.raw`(\d{4})-(\d\d)-(\d\d)`
const CLOCK = String.raw`(\d\d?):(\d\d)(?::(\d\d)(?:[.,](\d{1,9}))?)?`
const DATE_AND_TIME = new RegExp(`^${DATE}(?:[T ]${CLOCK} ?(Z|[+-]\\d\\d:?\\d\\d)?)?$`, 'i')
const TIME_OF_DAY = new RegExp(`^${CLOCK}$`)

/**
 * Since when: a length of time before now (`10m`), a time of today (`10:30`), a day, or a day and a time.
 *
 * @throws ConnectError BAD_VALUE
 */
export function parseSince(text: string, now = new Date()): Date {
  const words = text.trim()
  if (/^\d+[smhd]$/.test(words)) return new Date(now.getTime() - parseDuration(words))
  const [, ...clock] = TIME_OF_DAY.exec(words) ?? []
  if (clock.length > 0) return fromParts([now.getFullYear(), now.getMonth() + 1, now.getDate()], clock, text)
  const [, year, month, day, ...rest] = DATE_AND_TIME.exec(words) ?? []
  if (year === undefined) throw notATime(text)
  const [hours, minutes, seconds, fraction, zone] = rest
  return fromParts(
    [Number(year), Number(month), Number(day)],
    [hours, minutes, seconds, fraction],
    text,
    zone,
  )
}

type Parts = readonly (string | undefined)[]

function fromParts(date: [number, number, number], clock: Parts, text: string, zone?: string): Date {
  const [year, month, day] = date
  const [hours = 0, minutes = 0, seconds = 0] = clock.slice(0, 3).map((part) => Number(part ?? 0))
  const ms = Math.floor(Number(`0.${clock[3] ?? 0}`) * 1000)
  const utc = new Date(Date.UTC(year, month - 1, day))
  // Date would make March 2nd of February 30th.
  if (utc.getUTCMonth() !== month - 1 || utc.getUTCDate() !== day) throw notATime(text)
  if (hours > 23 || minutes > 59 || seconds > 59) throw notATime(text)
  if (zone === undefined) return new Date(year, month - 1, day, hours, minutes, seconds, ms)
  const offset = offsetOf(zone)
  if (Math.abs(offset) >= 24 * 60) throw notATime(text)
  return new Date(utc.setUTCHours(hours, minutes, seconds, ms) - offset * 60_000)
}

/** In minutes, east of Greenwich. */
function offsetOf(zone: string): number {
  const [, sign, hours, minutes] = /^([+-])(\d\d):?(\d\d)$/.exec(zone) ?? []
  return (sign === '-' ? -1 : 1) * (Number(hours ?? 0) * 60 + Number(minutes ?? 0))
}

function notATime(text: string): ConnectError {
  return new ConnectError('BAD_VALUE', `"${text}" is no time to show the log from`, {
    hints: ['Give a length of time such as 10m, 2h or 7d, or a time such as 10:30 or 2026-11-22 10:30.'],
  })
}
