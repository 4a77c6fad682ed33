import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync } from 'node:fs'
import path from 'node:path'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { identify } from '../../src/process/identity.ts'
import { RunningCli, root } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { testVariations } from '../helpers/variations.ts'

let reader: Home
let temporary: Home

beforeEach(() => {
  reader = makeHome()
  temporary = makeHome('tmp')
  for (const { folder } of [reader, temporary]) mkdirSync(folder)
})

afterEach(() => {
  reader.remove()
  temporary.remove()
})

function startDemo(): RunningCli {
  const env = { ...reader.env, TMPDIR: temporary.folder }
  return new RunningCli(spawn(process.execPath, [path.join(root, 'scripts', 'demo.ts')], { env }), 'demo')
}

test('npm start shows the main job, prints no secret, and leaves nothing behind', async () => {
  const demo = startDemo()
  expect(await demo.exited, demo.output).toEqual({ code: 0, signal: null })
  expect(demo.output).toContain('Hello from a private web site')
  expect(demo.output).toMatch(/Done in .* each step checked/)
  expect(demo.output).not.toMatch(/tok_\w{6}/)
  expect(readdirSync(temporary.folder)).toEqual([])
  expect(readdirSync(reader.folder)).toEqual([])
})

testVariations(['SIGINT', 'SIGTERM'] as const)(
  'npm start clears up on %s, and ends by it',
  async (signal) => {
    const demo = startDemo()
    const [, pid] = await demo.printed(/Daemon started \(PID: (\d+)\)/)
    demo.kill(signal)
    expect(await demo.exited, demo.output).toEqual({ code: null, signal })
    expect(identify(Number(pid))).toBeUndefined()
    expect(readdirSync(temporary.folder)).toEqual([])
  },
)
