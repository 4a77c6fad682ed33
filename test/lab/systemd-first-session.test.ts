import { afterEach, beforeAll, expect, test } from 'vitest'
import { MACHINE_START_MS } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { bare } from './helpers/systemd-scene.ts'
import { Terminal } from './helpers/terminal.ts'
import { monotonicMs, ThreeMachines, threeMachinesNeed, type Host } from './helpers/three-machines.ts'

const WITHIN_MS = 60_000

labSuite('from nothing to the first service, typed in terminals', threeMachinesNeed, () => {
  const own = ownedBySuite()
  let scene: ThreeMachines
  /** Of those who sit at the machines. */
  let terminals: Record<Host, Terminal>
  let typed: string[]

  beforeAll(async () => {
    scene = await ThreeMachines.start(own)
    const open = async (host: Host) => own(await Terminal.on(scene.machines[host]), (it) => it.close())
    terminals = { hub: await open('hub'), server: await open('server'), laptop: await open('laptop') }
  }, MACHINE_START_MS)

  afterEach(() => scene.reset())

  /** Types a command, and sees it succeed. @returns all that the terminal shows, as it was printed */
  async function types(host: Host, command: string, answers: readonly [RegExp, string][] = []) {
    typed.push(command)
    const { code, screen } = await terminals[host].runs(command, answers)
    expect({ code, screen }).toMatchObject({ code: 0 })
    return terminals[host].unwrapped()
  }

  async function invite(host: Host): Promise<string> {
    return /inv_[\w-]+/.exec(await types(host, 'connect hub token create --invite'))![0]
  }

  /** On the laptop, with what it was invited by. @returns the port that is kept there */
  async function keeps(invited: string): Promise<number> {
    const screen = await types('laptop', 'connect login', [[/Invite or join token .*:$/m, invited]])
    expect(screen).not.toContain(invited)
    const kept = await types('laptop', 'connect reach postgres --keep')
    return Number(/postgres is kept at localhost:(\d+)/.exec(kept)![1])
  }

  /** Over TLS, by the hub’s own authority, to its own address. */
  async function isVerified(host: Host, hub: Host): Promise<void> {
    const config = JSON.parse(await scene.machines[host].read('.privateconnect/config.json')) as unknown
    expect(config).toMatchObject({
      hub: `https://${host === hub ? '127.0.0.1' : scene.lan.address(hub)}:7700`,
      insecure: false,
      authority: expect.stringContaining('BEGIN CERTIFICATE') as string,
    })
  }

  test('six commands on two machines come to a database, in less than a minute', async () => {
    typed = []
    const began = monotonicMs()
    await types('server', 'connect hub install --listen 0.0.0.0:7700')
    await types('server', 'connect daemon install')
    await types('server', `connect expose ${scene.postgres.port} --name postgres`)
    const port = await keeps(await invite('server'))
    const took = (await scene.answers(port)) - began
    console.log(`two machines: ${typed.length} commands, ${(took / 1000).toFixed(1)} s`)
    expect(typed).toHaveLength(6)
    expect(took).toBeLessThan(WITHIN_MS)
    for (const host of ['server', 'laptop'] as const) await isVerified(host, 'server')
  })

  test('with a machine for the hub alone the server joins by an invite, too', async () => {
    typed = []
    const began = monotonicMs()
    await types('hub', 'connect hub install --listen 0.0.0.0:7700 --no-join')
    const forServer = await invite('hub')
    await types('server', 'connect login', [[/Invite or join token .*:$/m, forServer]])
    await types('server', 'connect daemon install')
    await types('server', `connect expose ${scene.postgres.port} --name postgres`)
    const port = await keeps(await invite('hub'))
    const took = (await scene.answers(port)) - began
    console.log(`three machines: ${typed.length} commands, ${(took / 1000).toFixed(1)} s`)
    expect(typed).toHaveLength(8)
    expect(took).toBeLessThan(WITHIN_MS)
    for (const host of ['server', 'laptop'] as const) await isVerified(host, 'hub')
    expect(await scene.machines.hub.run('ls ~/.privateconnect/config.json', bare)).toMatchObject({ code: 2 })
  })
})
