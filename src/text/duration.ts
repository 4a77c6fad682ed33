import { ConnectError } from '../errors.ts'

const UNITS: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

/**
 * A length of time as people write it.
 *
 * @returns ms
 * @throws ConnectError BAD_VALUE
 */
export function parseDuration(text: string): number {
  const [, amount, unit = ''] = /^(\d{1,6})([smhd])$/.exec(text) ?? []
  const ms = Number(amount) * (UNITS[unit] ?? Number.NaN)
  if (!(ms > 0)) throw new ConnectError('BAD_VALUE', `"${text}" is not a time such as 30s, 10m, 1h or 7d`)
  return ms
}
