import fc from 'fast-check'
import type { PartyPlan } from './party.ts'

/** Sizes of what a party writes: within a frame, within a window, beyond it. */
const bytes = fc.oneof(fc.nat(20), fc.nat(70_000), fc.nat(400_000))

export const agentName = fc.constantFrom('a' as const, 'b' as const)

export const noReset: fc.Arbitrary<PartyPlan['reset']> = fc.constant(undefined)

export const resetSometimes: fc.Arbitrary<PartyPlan['reset']> = fc.option(
  fc.oneof(
    fc.record({ after: fc.constant('turns' as const), count: fc.nat(60) }),
    fc.record({ after: fc.constant('bytes' as const), count: bytes }),
  ),
  { nil: undefined, freq: 2 },
)

function partyPlan(reset: fc.Arbitrary<PartyPlan['reset']>): fc.Arbitrary<PartyPlan> {
  return fc.record({
    writes: fc.array(fc.record({ bytes, wait: fc.nat(4) }), { maxLength: 4 }),
    endWait: fc.nat(20),
    readWait: fc.nat(3),
    readPart: fc.integer({ min: 1, max: 4 }),
    reset,
  })
}

export interface StreamPlan {
  readonly openedBy: 'a' | 'b'
  readonly opensAfter: number
  readonly answersAfter: number
  readonly opener: PartyPlan
  readonly acceptor: PartyPlan
}

export function streamPlan(reset: fc.Arbitrary<PartyPlan['reset']>): fc.Arbitrary<StreamPlan> {
  return fc.record({
    openedBy: agentName,
    opensAfter: fc.nat(10),
    answersAfter: fc.nat(15),
    opener: partyPlan(reset),
    acceptor: partyPlan(reset),
  })
}
