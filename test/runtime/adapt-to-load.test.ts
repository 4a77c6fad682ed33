import { once } from 'node:events'
import { performance } from 'node:perf_hooks'
import { Worker } from 'node:worker_threads'
import { beforeEach, expect, test, vi } from 'vitest'
import { adaptToLoad, beginWork } from '../../src/runtime/adapt-to-load.ts'

const flags = vi.spyOn(process.getBuiltinModule('node:v8'), 'setFlagsFromString').mockReturnValue()
vi.spyOn(process.getBuiltinModule('node:v8'), 'getHeapStatistics').mockReturnValue({
  ...process.getBuiltinModule('node:v8').getHeapStatistics(),
  used_heap_size: 1e6,
})
const collect = vi.fn()
vi.spyOn(process.getBuiltinModule('node:vm'), 'runInNewContext').mockReturnValue(collect)

const OPTIMISED = '--turbo-filter=*'
const BURN = 'const end = performance.now() + 300; while (performance.now() < end);'

vi.useFakeTimers({ toFake: ['setInterval'] })
const look = (times = 1) => vi.advanceTimersByTime(times * 1000)

beforeEach(() => {
  flags.mockClear()
  collect.mockClear()
})

test('work in a process that V8 has not been fitted to, another program’s, sets no flag', () => {
  beginWork()
  look(10)
  expect(flags).not.toHaveBeenCalled()
  expect(collect).not.toHaveBeenCalled()
})

test('what the start has left is given back once, after five looks without work', () => {
  adaptToLoad()
  look(5)
  expect(collect).not.toHaveBeenCalled()
  look(100)
  expect(collect).toHaveBeenCalledOnce()
})

test('another thread’s work is none that functions are optimised for; our own is', async () => {
  look()
  await once(new Worker(BURN, { eval: true }), 'exit')
  look()
  expect(flags).not.toHaveBeenCalledWith(OPTIMISED)
  const end = performance.now() + 300
  while (performance.now() < end);
  look()
  expect(flags).toHaveBeenCalledWith(OPTIMISED)
})
