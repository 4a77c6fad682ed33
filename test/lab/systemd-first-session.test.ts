import { afterEach, beforeAll, beforeEach, expect, onTestFinished, test } from 'vitest'
import { monotonicMs } from './helpers/boot-clock.ts'
import { MACHINE_START_MS } from './helpers/machine.ts'
import { ownedBySuite } from './helpers/owned.ts'
import { labSuite } from './helpers/suite.ts'
import { bare } from './helpers/systemd-scene.ts'
import { Terminal } from './helpers/terminal.ts'
import { ThreeMachines, threeMachinesNeed, type Host } from './helpers/three-machines.ts'

const WITHIN_MS = 60_000

labSuite('from nothing to the first service, typed in terminals', threeMachinesNeed, () => {
  const own = ownedBySuite()
  let scene: ThreeMachines
  /** Of those who sit at the machines. */
  let terminals: Record<Host, Terminal>
  let typed: string[]
  let began: number

  beforeAll(async () => {
    scene = await ThreeMachines.start(own)
  }, MACHINE_START_MS)

  beforeEach(async () => {
    const open = async (host: Host) => {
      const terminal = await Terminal.on(scene.machines[host])
      onTestFinished(() => terminal.close())
      return terminal
    }
    terminals = { hub: await open('hub'), server: await open('server'), laptop: await open('laptop') }
    typed = []
    began = monotonicMs()
  })

  afterEach(() => scene.reset())

  /**
   * Types a command, and sees it succeed.
   *
   * @param next what it says comes next
   * @returns all that the terminal shows, as it was printed
   */
  async function types(host: Host, command: string, next: string, answers: readonly [RegExp, string][] = []) {
    typed.push(command)
    const { code, screen } = await terminals[host].runs(command, answers)
    expect(code, screen).toBe(0)
    const shown = await terminals[host].unwrapped()
    expect(shown).toContain(next)
    return shown
  }

  async function invite(host: Host): Promise<string> {
    const screen = await types(host, 'connect hub token create --invite', 'it is asked for: connect login')
    return screen.match(/inv_[\w-]+/g)!.at(-1)!
  }

  /** With an invite, which is asked for and not shown. */
  async function joins(host: Host, invited: string, next: string): Promise<void> {
    const screen = await types(host, 'connect login', next, [[/Invite or join token .*:$/m, invited]])
    expect(screen).not.toContain(invited)
  }

  async function exposes(next: string): Promise<void> {
    await types('server', 'connect daemon install', 'Next: connect expose PORT --name NAME')
    await types('server', `connect expose ${scene.postgres.port} --name postgres`, `Next: ${next}`)
  }

  /** On the laptop, where nothing is left to do then. */
  async function reaches(): Promise<void> {
    const keep = 'connect reach postgres --keep'
    const screen = await types('laptop', keep, '[ok] Daemon installed and started', [[/\[Y\/n\]$/m, '']])
    await scene.answers(Number(/is kept at localhost:(\d+)/.exec(screen)![1]))
  }

  function within(commands: number): void {
    const took = monotonicMs() - began
    console.log(`${typed.length} commands in ${(took / 1000).toFixed(1)} s: ${typed.join('; ')}`)
    expect(typed).toHaveLength(commands)
    expect(took).toBeLessThan(WITHIN_MS)
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
    await types('server', 'connect hub install --listen 0.0.0.0:7700', 'Next: connect daemon install')
    await exposes('connect hub token create --invite')
    await joins('laptop', await invite('server'), 'Next: connect reach postgres --keep')
    await reaches()
    within(6)
    for (const host of ['server', 'laptop'] as const) await isVerified(host, 'server')
  })

  test('with a machine for the hub alone the server joins by an invite, too', async () => {
    const install = 'connect hub install --listen 0.0.0.0:7700 --no-join'
    await types('hub', install, 'Next: connect hub token create --invite')
    await joins('server', await invite('hub'), 'Next: connect daemon install')
    await exposes('connect reach postgres')
    await joins('laptop', await invite('hub'), 'Next: connect reach postgres --keep')
    await reaches()
    within(8)
    for (const host of ['server', 'laptop'] as const) await isVerified(host, 'hub')
    expect(await scene.machines.hub.run('ls ~/.privateconnect/config.json', bare)).toMatchObject({ code: 2 })
  })
})
