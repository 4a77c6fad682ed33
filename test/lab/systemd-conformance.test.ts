import { beforeAll, expect, test } from 'vitest'
import { Machine, MACHINE_START_MS, machineNeeds } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'

labSuite('the conformance suite, on a machine with systemd', machineNeeds, () => {
  const own = ownedBySuite()
  let machine: Machine

  beforeAll(async () => {
    machine = own(await Machine.start(), (it) => it.stop())
  }, MACHINE_START_MS)

  test('passes', { timeout: 900_000 }, async () => {
    const program = '/opt/private-connect/test/lab/fixtures/systemd-conformance.mjs'
    const line = `mkdir -p .config/systemd/user && exec node ${program}`
    const { code, stdout, stderr } = await machine.run(line, { timeoutMs: 890_000 })
    const results = stdout.trimEnd().split('\n')
    expect(results.filter((result) => !result.startsWith('ok: '))).toEqual([])
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
    expect(results.length).toBeGreaterThan(20)
  })
})
