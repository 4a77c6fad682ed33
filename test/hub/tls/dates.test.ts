import { expect, test } from 'vitest'
import { dateWarning } from '../../../src/hub/tls/dates.ts'

const DAY_MS = 86_400_000
const END = Date.UTC(2027, 1, 20, 12)
const validity = { validFrom: new Date(END - 90 * DAY_MS), validTo: new Date(END) }

/** What is said so many days before the end. */
const before = (days: number) => dateWarning('The certificate', validity, END - days * DAY_MS)

test.for([
  [21, 21, 'ends in 21 days, on 2027-02-20: then no agent accepts it any more'],
  [7.5, 21, 'ends in 7 days, on 2027-02-20: then no agent accepts it any more'],
  [7, 7, 'ends in 7 days, on 2027-02-20: then no agent accepts it any more'],
  [1, 1, 'ends in a day, on 2027-02-20: then no agent accepts it any more'],
  [0.9, 1, 'ends in less than a day, on 2027-02-20: then no agent accepts it any more'],
  [0, 0, 'expired on 2027-02-20: no agent accepts it'],
  [-400, 0, 'expired on 2027-02-20: no agent accepts it'],
  [91, 0, 'is valid only from 2026-11-22 on: no agent accepts it before'],
] as const)('%d days before its end a certificate is spoken of, at stage %d', ([days, stage, text]) => {
  expect(before(days)).toEqual({ stage, text: `The certificate ${text}` })
})

test('nothing is said of one that is valid for more than 21 days', () => {
  expect(before(21.01)).toBeUndefined()
  expect(before(90)).toBeUndefined()
})
