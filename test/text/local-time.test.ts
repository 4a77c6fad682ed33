import { afterAll, expect, test } from 'vitest'
import { localTime } from '../../src/text/local-time.ts'

const { TZ } = process.env

afterAll(() => {
  if (TZ === undefined) delete process.env.TZ
  else process.env.TZ = TZ
})

test.for(['UTC', 'Europe/Stockholm', 'America/St_Johns', 'Asia/Kathmandu', 'Pacific/Kiritimati'])(
  'the local time in %s is what the rules of languages make of it',
  (zone) => {
    process.env.TZ = zone
    // Both sides of the changes to and from summer time, of midnight, and of a year.
    for (const time of [
      '2026-03-29T00:59:59.999Z',
      '2026-03-29T01:00:00Z',
      '2026-10-25T00:30:00Z',
      '2026-10-25T01:30:00Z',
      '2026-11-01T05:15:00Z',
      '2026-12-31T23:59:59Z',
      '2027-01-01T00:00:00Z',
    ])
      expect(localTime(time)).toBe(new Date(time).toLocaleString('sv-SE'))
  },
)

test('what is no time is said not to be one', () => {
  expect(localTime('yesterday')).toBe('Invalid Date')
})
