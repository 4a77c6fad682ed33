import { afterAll, beforeAll, expect, test } from 'vitest'
import { connectOk, startConnect } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'

const YEAR_MS = 365 * 86_400_000

/** An environment in which a process of Node.js takes it to be that much later. */
function later(ms: number): Record<string, string> {
  const shift = `
    const RealDate = Date
    globalThis.Date = class extends RealDate {
      constructor(...args) { args.length === 0 ? super(RealDate.now() + ${ms}) : super(...args) }
      static now() { return RealDate.now() + ${ms} }
    }`
  return { NODE_OPTIONS: `--import "data:text/javascript,${encodeURIComponent(shift)}"` }
}

let world: World

beforeAll(async () => {
  world = await World.start()
})

afterAll(() => world.stop())

test.for<[string, number]>([
  ['ten years ahead', 10 * YEAR_MS],
  ['twenty years behind', -20 * YEAR_MS],
])(
  'a machine whose clock is %s joins, asks and stays connected as any other',
  { timeout: 90_000 },
  async ([, ms]) => {
    const home = world.emptyMachine('adrift')
    const env = later(ms)
    const login = { env: { ...env, PRIVATECONNECT_TOKEN: await world.joinToken() } }
    await connectOk(home, ['login', '--hub', world.hubUrl, '--label', 'adrift'], login)
    expect(await connectOk(home, ['services'], { env })).toContain('Offered in the workspace:')
    const up = world.keep(startConnect(home, ['up', '--foreground'], { env }))
    await up.printed(/Registered with hub/)
    await world.hub.stop()
    await world.restartHub()
    await up.printed(/Reconnected to hub/)
    await up.stop()
    expect(up.stderr).not.toContain('[x]')
  },
)
