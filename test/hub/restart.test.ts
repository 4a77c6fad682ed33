import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startConnect } from '../helpers/cli.ts'
import { Pinged } from '../helpers/pinged.ts'
import { World } from '../helpers/world.ts'

const STREAMS = 100

let world: World
beforeAll(async () => {
  world = await World.start()
})
afterAll(() => world.stop())

test('a hub that is stopped and started again breaks none of 100 connections', async () => {
  const agent = world.keep(startConnect(await world.echoMachine('server'), ['up']))
  await agent.printed(/Connected to hub/)
  const { port } = await world.reach(await world.machine('client'), 'echo')
  const streams = await Promise.all(Array.from({ length: STREAMS }, () => Pinged.open(port)))
  onTestFinished(() => streams.forEach((stream) => stream.close()))
  await world.hub.stop('SIGTERM')
  await world.restartHub()
  await Promise.all(streams.map((stream) => stream.answersAgain()))
  // Far below the 30 s after which a stream is given up; about 0.6 s while nobody else uses the processor.
  expect(Math.max(...streams.map(({ slowestMs }) => slowestMs))).toBeLessThan(10_000)
})
