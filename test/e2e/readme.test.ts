import { spawn } from 'node:child_process'
import { mkdirSync } from 'node:fs'
import { afterAll, expect, test } from 'vitest'
import { firstSession } from '../fixtures/product/first-session.ts'
import { connect, resultOf, RunningCli, runJs, type CliResult } from '../helpers/cli.ts'
import { makeHome, type Home } from '../helpers/home.ts'
import { echoed, echoServer } from '../helpers/servers.ts'
import { freePort } from '../helpers/free-port.ts'

const homes: Record<string, Home> = { server: makeHome('server'), laptop: makeHome('laptop') }
const service = await echoServer()

afterAll(async () => {
  for (const home of Object.values(homes)) {
    for (const kept of ['daemon', 'hub']) await connect(home, [kept, 'stop'])
    home.remove()
  }
  await service.close()
})

/** Runs a line as a shell of that machine does, without a terminal. */
function typed(home: Home, line: string, invite: string): Promise<CliResult> {
  mkdirSync(home.folder, { recursive: true })
  const script = `connect() { '${process.execPath}' '${runJs}' "$@"; }\n${line}`
  // What a service manager does, the lab shows, where there is one.
  const env = { ...home.env, CONNECT_PLATFORM: 'background', PRIVATECONNECT_TOKEN: invite }
  const child = spawn('sh', ['-c', script], { cwd: home.folder, env, stdio: ['ignore', 'pipe', 'pipe'] })
  return resultOf(new RunningCli(child, line), [line], {})
}

/** What is another one each time, or where there is no terminal, and one machine for all. */
function alike(lines: readonly string[]): string[] {
  const here =
    /^ {2}(?:Next: |\d+ may be the service’s own port)|^Invite or join token|^For one|^ {2}There run/
  return lines
    .filter((line) => !here.test(line))
    .map((line) =>
      line
        .replaceAll(/agent_[0-9a-f]{16}/g, 'agent_ID')
        .replace(/inv_.*/, 'INVITE')
        .replace(/(?<=Label: | as |from )[^ )]+/, 'LABEL')
        .replaceAll(/https:\/\/[\d.]+/g, 'https://HUB')
        .replaceAll(/(?<=PID: )\d+|\b\d{4,5}\b/g, 'N'),
    )
}

test('the README’s first session prints what it shows, and the service answers', async () => {
  const session = firstSession()
  expect(session.length).toBeGreaterThanOrEqual(7)
  const hubPort = await freePort()
  let invite = ''
  let reached = 0
  for (const { machine, command, printed } of session) {
    if (!/^connect\b/.test(command)) continue
    const isInstall = command.includes(' install')
    const line = command
      .replace(' install', ' start')
      .replace(/0\.0\.0\.0:\d+/, `0.0.0.0:${hubPort} --url https://127.0.0.1:${hubPort}`)
      .replace(/(?<=expose )\d+/, String(service.port))
    const { code, stdout } = await typed(homes[machine]!, line, invite)
    expect(code, line).toBe(0)
    invite = /^inv_\S+/m.exec(stdout)?.[0] ?? invite
    reached = Number(/ is kept at localhost:(\d+)/.exec(stdout)?.[1] ?? reached)
    // What a hub’s install does besides.
    if (command.startsWith('connect hub install'))
      await typed(homes[machine]!, 'connect hub token create --invite | connect login --token-file -', '')
    if (isInstall) continue
    // Where there is no terminal nobody is asked whether to install the daemon.
    const isKept = command.endsWith(' --keep')
    const shown = isKept ? printed.slice(0, 1) : printed
    expect(alike(stdout.trimEnd().split('\n')), line).toEqual(alike(shown))
    if (isKept) expect(await typed(homes[machine]!, 'connect daemon start', '')).toMatchObject({ code: 0 })
  }
  expect(await echoed(reached, 'a query')).toBe('a query')
})
