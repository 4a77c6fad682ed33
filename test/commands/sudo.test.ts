import { existsSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { emptyHome } from '../fixtures/joined.ts'
import { connect } from '../helpers/cli.ts'

const isRoot = process.getuid?.() === 0
const env = { CONNECT_PLATFORM: 'background', SUDO_USER: 'ada' }

describe.skipIf(!isRoot)('by sudo (skipped unless run as root)', () => {
  test.for(['install', 'uninstall', 'start', 'stop', 'restart'])(
    'daemon %s is refused, with what to run instead',
    async (action) => {
      const home = emptyHome()
      expect(await connect(home, ['daemon', action], { env })).toEqual({
        code: 1,
        signal: null,
        stdout: '',
        stderr: `[x] With sudo this would be root’s daemon, and not that of ada
  Run it as yourself, without sudo: connect daemon ${action}
  If root’s daemon is what you want: sudo env -u SUDO_USER connect daemon ${action}
`,
      })
      expect(existsSync(home.file('daemon.lock'))).toBe(false)
    },
  )

  test.for(['install', 'uninstall', 'start', 'stop', 'restart'])(
    'hub %s is refused, with what to run instead',
    async (action) => {
      const home = emptyHome()
      const { code, stderr } = await connect(home, ['hub', action], { env })
      expect({ code, stderr }).toEqual({
        code: 1,
        stderr: `[x] With sudo this would be root’s hub, and not that of ada
  Run it as yourself, without sudo: connect hub ${action}
  If root’s hub is what you want: sudo env -u SUDO_USER connect hub ${action}
`,
      })
      expect(existsSync(home.file('hub'))).toBe(false)
    },
  )

  test('up --detach is refused before it logs in', async () => {
    const home = emptyHome()
    expect(await connect(home, ['up', '--detach'], { env })).toMatchObject({
      code: 1,
      stdout: '',
      stderr: `[x] With sudo this would be root’s daemon, and not that of ada
  Run it as yourself, without sudo: connect up --detach
  If root’s daemon is what you want: sudo env -u SUDO_USER connect up --detach
`,
    })
    expect(existsSync(home.file('config.json'))).toBe(false)
  })

  test.for(['status', 'logs'])('daemon %s only looks, and may', async (action) => {
    expect(await connect(emptyHome(), ['daemon', action], { env })).toMatchObject({ code: 0, stderr: '' })
  })

  test('root’s own sudo is no one else’s', async () => {
    const own = { ...env, SUDO_USER: 'root' }
    expect(await connect(emptyHome(), ['daemon', 'stop'], { env: own })).toMatchObject({
      code: 0,
      stderr: '',
    })
  })
})

test.skipIf(isRoot)('sudo -u to a user who is not root is that user’s login (skipped for root)', async () => {
  expect(await connect(emptyHome(), ['daemon', 'stop'], { env })).toMatchObject({ code: 0, stderr: '' })
})
