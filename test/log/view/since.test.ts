import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { parseSince } from '../../../src/log/view/since.ts'
import { thrownBy } from '../../fixtures/thrown-by.ts'

const { TZ } = process.env
const NOW = new Date('2026-11-22T10:45:30.500Z')

beforeEach(() => {
  process.env.TZ = 'Asia/Kathmandu'
})

afterEach(() => {
  if (TZ === undefined) delete process.env.TZ
  else process.env.TZ = TZ
})

describe('since when', () => {
  test.for([
    ['30s', '2026-11-22T10:45:00.500Z'],
    ['10m', '2026-11-22T10:35:30.500Z'],
    ['2h', '2026-11-22T08:45:30.500Z'],
    ['7d', '2026-11-15T10:45:30.500Z'],
    // Today and here: 16:30 of the same day.
    ['10:30', '2026-11-22T04:45:00.000Z'],
    ['9:05:07', '2026-11-22T03:20:07.000Z'],
    ['2026-11-22', '2026-11-21T18:15:00.000Z'],
    ['2026-11-22 10:30', '2026-11-22T04:45:00.000Z'],
    ['2026-11-22T10:30:15', '2026-11-22T04:45:15.000Z'],
    ['2026-11-22T10:30:15.123Z', '2026-11-22T10:30:15.123Z'],
    ['2026-11-22t10:30:15z', '2026-11-22T10:30:15.000Z'],
    ['2026-11-22 10:30:15.123456+01:00', '2026-11-22T09:30:15.123Z'],
    ['2026-11-22T10:30-0330', '2026-11-22T14:00:00.000Z'],
    ['2024-02-29', '2024-02-28T18:15:00.000Z'],
  ] as const)('%s', ([text, time]) => {
    expect(parseSince(text, NOW).toISOString()).toBe(time)
  })

  test('a line’s own time, as it stands in the file', () => {
    expect(parseSince('2026-11-22T10:30:00.123+01:00').toISOString()).toBe('2026-11-22T09:30:00.123Z')
  })

  const durations = ['', ' ', 'yesterday', '10', '10 m', '1w', '-10m', '0s', '1.5h', '9999999d', '1795000000']
  const times = ['24:00', '10:60', '10:30:60', '10:3', '10:30Z', '2026-11-22T', '2026-11-22T25:00']
  const days = ['2026-11', '2026-13-01', '2026-02-30', '2025-02-29']
  const zones = ['2026-11-22 10:30 +99:00', '2026-11-22T10:30+1']
  test.for([...durations, ...times, ...days, ...zones])('"%s" is no such time', (text) => {
    const error = thrownBy(() => parseSince(text, NOW))
    expect(error.code).toBe('BAD_VALUE')
    expect(error.message).toContain(`"${text}"`)
  })
})
