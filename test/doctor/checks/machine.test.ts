import { chmodSync, mkdirSync, rmSync, utimesSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { expect, onTestFinished, test, vi } from 'vitest'
import { descriptors } from '../../../src/doctor/checks/machine/descriptors.ts'
import { homeFolder } from '../../../src/doctor/checks/machine/home.ts'
import { memory } from '../../../src/doctor/checks/machine/memory.ts'
import { nodeVersion } from '../../../src/doctor/checks/machine/node.ts'
import { ownClock } from '../../../src/doctor/checks/machine/own-clock.ts'
import { runProgram } from '../../fixtures/run-fixture.ts'
import { asNobody } from '../../fixtures/machine/as-nobody.ts'
import { root } from '../../helpers/cli.ts'
import { logIn, patient, run } from '../helpers/patient.ts'

test('all is well on a machine such as this', async () => {
  const who = patient()
  for (const check of [homeFolder, nodeVersion, ownClock, descriptors, memory])
    expect(await run(check, who)).toMatchObject({ state: 'ok' })
  expect((await run(nodeVersion, who)).seen).toContain(process.version)
})

test('a home folder that is missing, no folder, or closed', async () => {
  const who = patient()
  const fix = expect.stringContaining('HOME=/FOLDER') as string
  expect(await run(homeFolder, { ...who, home: '/nonexistent' })).toMatchObject({
    state: 'failed',
    seen: 'HOME is not set, and the user database knows no home folder for this user',
    fix,
  })
  expect(await run(homeFolder, { ...who, home: '/nowhere/at/all' })).toMatchObject({
    state: 'failed',
    seen: 'The home folder /nowhere/at/all does not exist',
  })
  const file = path.join(who.home, 'file')
  writeFileSync(file, '')
  expect((await run(homeFolder, { ...who, home: file })).seen).toBe('~/file is not a folder')
  const closed = path.join(who.home, 'closed')
  mkdirSync(closed, { mode: 0o500 })
  const found = await asNobody(() =>
    homeFolder.run({ ...who, home: closed } as never, AbortSignal.timeout(1)),
  )
  expect(found).toMatchObject({
    state: 'failed',
    seen: expect.stringMatching(/can’t be used: .*permission/i),
  })
  chmodSync(closed, 0o700)
})

test.runIf(process.getuid?.() === 0)('with sudo it says whom it is about', async () => {
  expect(await run(homeFolder, patient({ env: { SUDO_USER: 'ada' } }))).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/^With sudo this is about root in .*, and not about ada$/),
    fix: expect.stringContaining('without sudo'),
  })
})

test('a clock that shows a time before this version was made, or before our files were written', async () => {
  const who = patient()
  await logIn(who.instance)
  const later = new Date(Date.now() + 3_600_000)
  utimesSync(who.instance.configFile, later, later)
  expect(await run(ownClock, who)).toMatchObject({
    state: 'warning',
    seen: expect.stringMatching(/files of ours were written (59|60) minutes after that$/),
    fix: expect.stringMatching(/^Set it: sudo /),
  })
  rmSync(who.instance.configFile)
  onTestFinished(() => void vi.useRealTimers())
  vi.useFakeTimers({ toFake: ['Date'], now: Date.parse('2020-01-01T00:00:00Z') })
  expect(await run(ownClock, who)).toMatchObject({
    state: 'failed',
    seen: 'It shows 2020-01-01 00:00 UTC, which was before this version was made',
  })
})

test('few file descriptors, and little memory', async () => {
  const program = `
    const { descriptors } = await import('${root}/src/doctor/checks/machine/descriptors.ts')
    console.log(JSON.stringify(await descriptors.run({ agent: async () => undefined })))`
  const node = `exec '${process.execPath}' --input-type=module -e "$1"`
  const limited = runProgram(['/bin/sh', '-c', `ulimit -n 100; ${node}`, 'sh', program])
  await limited.exited
  expect(JSON.parse(limited.stdout)).toEqual({
    state: 'warning',
    seen: 'ulimit -n is 100, which leaves room for 36 connections',
    fix: 'Raise the limit where the agent is started (ulimit -n 4096), then run: connect daemon restart',
  })
  const spy = vi.spyOn(process, 'availableMemory').mockReturnValue(10 * 1024 * 1024)
  onTestFinished(() => spy.mockRestore())
  expect(await run(memory, patient())).toMatchObject({ state: 'warning', seen: '10 MB are free' })
})
