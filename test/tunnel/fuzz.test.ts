import { afterEach, beforeEach, test, vi } from 'vitest'
import { fuzzAgent, fuzzHub } from './helpers/fuzzed.ts'

const FRAMES = 100_000
const seed = Number(process.env.FUZZ_SEED ?? Date.now() % 2 ** 32)

beforeEach(() => void vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] }))
afterEach(() => void vi.useRealTimers())

test(`whatever frames an agent sends, the hub lives, and the streams of others go on (FUZZ_SEED=${seed})`, () =>
  fuzzHub(FRAMES, seed))

test(`whatever frames a hub sends, an agent lives, and keeps nothing of it (FUZZ_SEED=${seed})`, () =>
  fuzzAgent(FRAMES, seed))
