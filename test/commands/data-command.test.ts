import { spawn } from 'node:child_process'
import { closeSync, mkdirSync, openSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest'
import { connectOk, RunningCli, runJs, startConnect } from '../helpers/cli.ts'
import { freePort } from '../helpers/free-port.ts'
import type { Home } from '../helpers/home.ts'
import { echoed } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

let world: World
let home: Home
beforeAll(async () => {
  world = await World.start()
  home = await world.echoMachine()
})
afterAll(() => world.stop())

/** What a data command is started with, and what shows that it does its work. */
interface DataCommand {
  readonly args: readonly string[]
  readonly works: () => Promise<boolean>
}

const DATA_COMMANDS: Record<'up' | 'reach' | 'hub', () => Promise<DataCommand>> = {
  async up() {
    const works = async () => /echo .* online/.test(await connectOk(home, ['services']))
    return { args: ['up'], works }
  },
  async reach() {
    const agent = startConnect(home, ['up'])
    onTestFinished(() => agent.stop())
    await agent.printed(/Connected to hub/)
    const port = await freePort()
    const works = () =>
      echoed(port, 'hello').then(
        (text) => text === 'hello',
        () => false,
      )
    return { args: ['reach', 'echo', '--port', String(port)], works }
  },
  async hub() {
    const listen = `127.0.0.1:${await freePort()}`
    const works = () =>
      fetch(`http://${listen}/healthz`).then(
        ({ ok }) => ok,
        () => false,
      )
    return { args: ['hub', '--listen', listen, '--data-dir', path.join(home.folder, 'hub')], works }
  },
}

/** Starts it in a session of its own, with all its output in a file, by a program that runs another one. */
function startInto(file: string, args: readonly string[], by: readonly string[] = []): RunningCli {
  mkdirSync(home.folder, { recursive: true })
  const output = openSync(file, 'a')
  const [program, ...rest] = [...by, process.execPath, runJs, ...args]
  const options = { cwd: home.folder, env: home.env, detached: true } as const
  const child = spawn(program!, rest, { ...options, stdio: ['ignore', output, output] })
  closeSync(output)
  const running = new RunningCli(child, args.join(' '))
  onTestFinished(() => running.stop('SIGKILL'))
  return running
}

const begins = ({ works }: DataCommand) => expect.poll(works, { timeout: 30_000, interval: 100 }).toBe(true)

describe.each(['up', 'reach', 'hub'] as const)('%s', (name) => {
  test('goes on where its output can’t be written, and ends in good order', async () => {
    const command = await DATA_COMMANDS[name]()
    const running = startInto('/dev/full', command.args)
    await begins(command)
    expect(await command.works()).toBe(true)
    running.kill('SIGTERM')
    expect(await running.exited).toEqual({ code: 0, signal: null })
  })

  test('goes on under nohup when its terminal goes away, and at signals meant for others', async () => {
    const command = await DATA_COMMANDS[name]()
    const file = path.join(home.folder, `${name}.out`)
    const running = startInto(file, command.args, ['nohup'])
    await begins(command)
    for (const signal of ['SIGHUP', 'SIGUSR1', 'SIGUSR2'] as const) {
      running.kill(signal)
      expect(await command.works()).toBe(true)
    }
    running.kill('SIGTERM')
    expect(await running.exited).toEqual({ code: 0, signal: null })
    expect(readFileSync(file, 'utf8')).not.toMatch(/debugger/i)
  })
})

test('a hub goes on when nobody reads its pipe any more', async () => {
  const { args, works } = await DATA_COMMANDS.hub()
  const hub = startConnect(home, args)
  onTestFinished(() => hub.stop('SIGKILL'))
  await hub.printed(/listening on/)
  hub.closeOutput()
  const address = args[2]!
  const token = await connectOk(home, ['hub', 'token', 'create', '--data-dir', args.at(-1)!])
  const client = world.emptyMachine('client')
  const env = { PRIVATECONNECT_TOKEN: token.trim() }
  // Each is a line that the hub has to say.
  await connectOk(client, ['login', '--hub', `http://${address}`], { env })
  await connectOk(client, ['logout'])
  expect(await works()).toBe(true)
  await hub.stop()
  expect(await hub.exited).toEqual({ code: 0, signal: null })
})
