import { expect, test } from 'vitest'
import { writeHubSettings } from '../../../src/config/hub/hub-settings.ts'
import { emptyHome } from '../../fixtures/joined.ts'
import { connect, connectOk } from '../../helpers/cli.ts'
import { freePort } from '../../helpers/free-port.ts'
import type { Home } from '../../helpers/home.ts'

async function addresses(): Promise<[string, string]> {
  return [`127.0.0.1:${await freePort()}`, `127.0.0.1:${await freePort()}`]
}

/** Starts a hub, and has a machine join it and connect. */
async function connected(hub: Home, member: Home, listen: string): Promise<void> {
  await connectOk(hub, ['hub', 'start', '--listen', listen])
  const invite = await connectOk(hub, ['hub', 'token', 'create', '--invite'])
  await connectOk(member, ['login'], { env: { PRIVATECONNECT_TOKEN: invite.trim() } })
  await connectOk(member, ['daemon', 'start'])
}

test('a hub that is started at another port says who was connected by the one of before', async () => {
  const [home, other] = [emptyHome('hub'), emptyHome('member')]
  const [before, now] = await addresses()
  await connected(home, other, before)
  const { stderr } = await connect(home, ['hub', 'start', '--listen', now])
  expect(stderr).toBe(
    `[!] 1 machine was connected by ${before}, where the hub no longer listens. To have it there again: connect hub start --listen ${before}\n`,
  )
  // Nobody is connected by the other one yet.
  const { warnings } = JSON.parse(await connectOk(home, ['hub', 'start', '--listen', before, '--json'])) as {
    warnings: string[]
  }
  expect(warnings).toEqual([])
})

test('of this machine, which is told where the hub is now, nothing is said', async () => {
  const home = emptyHome('alone')
  const [before, now] = await addresses()
  await connected(home, home, before)
  const report = JSON.parse(await connectOk(home, ['hub', 'start', '--listen', now, '--json'])) as object
  expect(report).toMatchObject({ warnings: [], joining: { outcome: 'moved' } })
})

test('an address of before that is none keeps nobody from giving another', async () => {
  const home = emptyHome('mended')
  writeHubSettings({ listen: 'nowhere' }, home.folder)
  const { code, stderr } = await connect(home, ['hub', 'start', '--listen', '127.0.0.1:0'])
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' })
})
