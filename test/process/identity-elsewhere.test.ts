import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { beforeEach, describe, expect, onTestFinished, test, vi } from 'vitest'
import { scratchFolder } from '../fixtures/scratch.ts'

/**
 * The system is looked up when a process is, and its answer on the boot is kept: so the module is a fresh
 * one.
 */
async function identityOn(platform: string): Promise<typeof import('../../src/process/identity.ts')> {
  vi.resetModules()
  const module = await import('../../src/process/identity.ts')
  const { platform: real } = process
  Object.defineProperty(process, 'platform', { value: platform })
  onTestFinished(() => void Object.defineProperty(process, 'platform', { value: real }))
  return module
}

describe.skipIf(process.platform === 'win32')('where there is no /proc, ps is asked:', () => {
  let folder: string
  /** A ps that writes down how it was called, and does this. */
  const psThat = (script: string) => {
    writeFileSync(
      path.join(folder, 'ps'),
      `#!/bin/sh\necho "$* $LC_ALL $TZ $MARK" > "$0.called"\n${script}\n`,
      {
        mode: 0o755,
      },
    )
  }

  beforeEach(() => {
    folder = scratchFolder()
    vi.stubEnv('PATH', `${folder}:${process.env.PATH}`)
    vi.stubEnv('LC_ALL', 'de_DE.UTF-8')
    vi.stubEnv('TZ', 'Asia/Tokyo')
    vi.stubEnv('MARK', 'ours')
    return () => void vi.unstubAllEnvs()
  })

  test('in words and a time zone that are always the same', async () => {
    const { identify, isAlive } = await identityOn('freebsd')
    psThat("echo ' Ss+   Thu Jan  1 00:00:07 2026 '")
    const found = { pid: 7, startTime: 'Thu Jan  1 00:00:07 2026', bootAndNamespace: 'freebsd' }
    expect(identify(7)).toEqual(found)
    expect(readFileSync(path.join(folder, 'ps.called'), 'utf8')).toBe('-o stat=,lstart= -p 7 C UTC ours\n')
    expect(isAlive(found)).toBe(true)
    psThat("echo 'S Thu Jan  1 00:00:08 2026'")
    expect(isAlive(found)).toBe(false)
  })

  test.for([
    ['it knows no such process', 'exit 1'],
    ['it is a zombie', "echo 'Z+ Thu Jan  1 00:00:07 2026'"],
    ['it says nothing', ''],
    ['it says nothing of the start', 'echo S'],
  ] as const)('nobody is alive if %s', async ([, script]) => {
    const { identify } = await identityOn('freebsd')
    psThat(script)
    expect(identify(7)).toBeUndefined()
  })

  test.for(['exit 2', 'kill -9 $$'])('a ps that fails says nothing of the process: %s', async (script) => {
    const { identify } = await identityOn('freebsd')
    psThat(script)
    expect(() => identify(7)).toThrow('Command failed: ps -o stat=,lstart= -p 7')
  })

  test('the real one finds this process, and no one who is not there', async () => {
    const { identify } = await identityOn('freebsd')
    expect(identify(process.pid)?.startTime).toMatch(
      /^[A-Z][a-z]{2} [A-Z][a-z]{2} [ \d]\d \d\d:\d\d:\d\d \d{4}$/,
    )
    expect(identify(2 ** 22 + 1)).toBeUndefined()
  })

  test.runIf(process.platform === 'linux')('on macOS, sysctl is asked for the boot', async () => {
    const { identify } = await identityOn('darwin')
    psThat("echo 'S Thu Jan  1 00:00:07 2026'")
    const error = thrown(() => identify(7))
    // Linux knows no such name, or has no such program.
    expect(`${error.path ?? ''} ${error.spawnargs?.join(' ') ?? ''} ${error.message}`).toContain(
      '/usr/sbin/sysctl -n kern.bootsessionuuid',
    )
  })
})

describe('on Windows, where nothing more is known of a process than its number,', () => {
  test('it is there, or it is not', async () => {
    const { identify } = await identityOn('win32')
    expect(identify(process.pid)).toEqual({
      pid: process.pid,
      startTime: 'unknown',
      bootAndNamespace: 'win32',
    })
    expect(identify(2 ** 31 - 1)).toBeUndefined()
  })

  test('one that is another user’s is there', async () => {
    const { identify } = await identityOn('win32')
    const kill = vi.spyOn(process, 'kill')
    onTestFinished(() => kill.mockRestore())
    kill.mockImplementation(() => {
      throw Object.assign(new Error('kill EPERM'), { code: 'EPERM' })
    })
    expect(identify(7)?.startTime).toBe('unknown')
    expect(kill).toHaveBeenCalledWith(7, 0)
  })
})

function thrown(work: () => unknown): Error & { path?: string; spawnargs?: string[] } {
  try {
    work()
  } catch (error) {
    if (error instanceof Error) return error
    throw error
  }
  throw new Error('nothing was thrown')
}
