import { performance } from 'node:perf_hooks'
import { expect, test } from 'vitest'
import { firstSession } from '../fixtures/product/first-session.ts'
import { MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { SessionStage, stagePrograms } from './helpers/session-stage.ts'
import { labSuite } from './helpers/suite.ts'

/** The longest that it may take, in ms: it is meant for somebody's first minute. */
const MINUTE = 60_000

/** What is another one each time. */
function alike(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replaceAll(/agent_[0-9a-f]{16}/g, 'agent_ID')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d/g, 'TIME')
      .replace(/inv_.*/, 'INVITE')
      .replace(/(?<=PID: )\d+/, 'N'),
  )
}

labSuite(
  'the README’s first session',
  { ...machineNeeds, programs: [...machineNeeds.programs!, ...stagePrograms] },
  () => {
    const own = ownedBySuite()

    test(
      'on two machines with a systemd, typed into terminals, prints what it shows, in less than a minute',
      async () => {
        const stage = own(await SessionStage.start(), (it) => it.stop())
        const session = firstSession()
        const start = performance.now()
        for (const { machine, command, printed } of session) {
          const played = await stage.play(machine, command)
          expect(alike(played.printed), command).toEqual(alike(printed))
        }
        expect(performance.now() - start).toBeLessThan(MINUTE)
      },
      MACHINE_START_MS,
    )
  },
)
