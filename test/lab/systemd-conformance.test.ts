import { beforeAll, expect, test } from 'vitest'
import { systemd } from '../../src/platforms/systemd/description.ts'
import { platformConformance } from '../../src/platforms/conformance/conformance.ts'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'

/** Most of it is waiting for systemd: so that is done on several machines at once. */
const MACHINES = 3

labSuite('the conformance suite, on machines with systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let machines: Machine[]

  beforeAll(async () => {
    const starting = Array.from({ length: MACHINES }, async () =>
      own(await Machine.start(), (it) => it.stop()),
    )
    machines = await Promise.all(starting)
  }, MACHINE_START_MS)

  test('passes, for the agent and for the hub', { timeout: 1_500_000 }, async () => {
    const program = '/opt/private-connect/test/lab/fixtures/systemd-conformance.mjs'
    const results = await Promise.all(
      machines.map(async (machine, part) => {
        const line = `mkdir -p .config/systemd/user && exec node ${program} ${part} ${MACHINES}`
        const { code, stdout, stderr } = await machine.run(line, { timeoutMs: 1_490_000 })
        expect({ code, stderr }, stdout).toEqual({ code: 0, stderr: '' })
        return stdout.trimEnd().split('\n')
      }),
    )
    const titles = (['agent', 'hub'] as const).flatMap((kind) =>
      platformConformance({ description: systemd, kind }).checks.map(({ title }) => `ok: ${kind}: ${title}`),
    )
    expect(results.flat().toSorted()).toEqual(titles.toSorted())
  })
})
