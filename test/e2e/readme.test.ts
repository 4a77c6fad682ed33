import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { connect, root, startConnect } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer, type TestServer } from '../helpers/servers.ts'
import { World } from '../helpers/world.ts'

/** A command of the README's first session, where it is typed, and what it prints there. */
interface Typed {
  readonly machine: string
  readonly command: string
  readonly printed: readonly string[]
}

function firstSession(): Typed[] {
  const text = readFileSync(path.join(root, 'README.md'), 'utf8')
  const [, section] = /^## A first session\n([^]*?)^## /m.exec(text)!
  const blocks = [...section!.matchAll(/^```\n([^]*?)^```$/gm)].map(([, block]) => block!)
  return blocks.flatMap((block) =>
    block.split(/^(?=\w+\$ )/m).map((part) => {
      const [first = '', ...printed] = part.trimEnd().split('\n')
      const [, machine = '', command = ''] = /^(\w+)\$ (.*)$/.exec(first)!
      // Nobody is asked for the token, and told what comes next, where there is no terminal.
      const isForTerminal = (line: string) => /^(?:Invite or join token| {2}Next: )/.test(line)
      return { machine, command, printed: printed.filter((line) => !isForTerminal(line)) }
    }),
  )
}

/** What is another one each time. */
function alike(lines: readonly string[]): string[] {
  return lines.map((line) =>
    line
      .replaceAll(/agent_[0-9a-f]{16}/g, 'agent_ID')
      .replaceAll(/\d{4}-\d\d-\d\d \d\d:\d\d:\d\d|\d\d:\d\d:\d\d/g, 'TIME')
      .replaceAll(/(?<=connection )[0-9a-f]{8}/g, 'ID')
      .replaceAll(/(?<=tok_)\S+/g, 'SECRET')
      .replaceAll(/(?<=Platform: )\w+/g, 'SYSTEM')
      .replaceAll(/\b\d{3,6}\b/g, 'N')
      .replaceAll(/(?<=\S) {2,}/g, '  '),
  )
}

let world: World
let postgres: TestServer
const homes: Record<string, Home> = {}

beforeAll(async () => {
  world = await World.start()
  postgres = await echoServer()
  for (const name of ['db', 'laptop']) homes[name] = makeHome(name)
})

afterAll(async () => {
  for (const home of Object.values(homes)) {
    await connect(home, ['daemon', 'stop'])
    home.remove()
  }
  await world.stop()
  await postgres.close()
})

test('the README’s first session prints what it shows', async () => {
  const session = firstSession()
  expect(session.length).toBeGreaterThan(10)
  for (const { machine, command, printed } of session) {
    const words = command
      .replaceAll('http://127.0.0.1:7700', world.hubUrl)
      .replaceAll('5432', String(postgres.port))
      .split(' ')
    const [program, ...args] = words
    let shown: string
    if (command === 'connect hub') [shown] = await world.hub.printed(/^\[ok\][^]* Data: .*\n/)
    else if (program !== 'connect') continue
    else if (args[0] === 'reach') {
      const { port, output } = await reached(homes[machine]!, args)
      expect(await echoed(port, 'a query')).toBe('a query')
      shown = output
    } else {
      const home = homes[machine] ?? world.hubHome
      const token = args[0] === 'login' ? { PRIVATECONNECT_TOKEN: await world.joinToken() } : {}
      const { code, stdout, stderr } = await connect(home, args, {
        env: { CONNECT_PLATFORM: 'background', ...token },
      })
      expect({ code, stderr }, command).toEqual({ code: 0, stderr: '' })
      shown = stdout
    }
    expect(alike(shown.trimEnd().split('\n')), command).toEqual(alike(printed))
  }
})

async function reached(home: Home, args: readonly string[]): Promise<{ port: number; output: string }> {
  const cli = world.keep(startConnect(home, args))
  const [, port] = await cli.printed(/is at \S+:(\d+)/)
  await cli.printed(/Connected to hub/)
  return { port: Number(port), output: cli.output }
}
