import { expect } from 'vitest'
import { agentScene, reachScene } from '../helpers/faults/scenes.ts'
import { faultsOf } from '../helpers/faults/trials.ts'
import { testVariations } from '../helpers/variations.ts'

// A sample; all of them are in test/lab/faults.test.ts.
testVariations([
  ['a kept-alive agent', () => agentScene({ CONNECT_DAEMON: '1' })],
  ['reach', reachScene],
] as const)('%s outlives the first call of each kind that finds no descriptor left', async ([, scene]) => {
  const { functions, wrong } = await faultsOf(scene, { codes: ['EMFILE'], most: 1 })
  expect(wrong).toEqual([])
  expect(functions.length).toBeGreaterThan(2)
})
