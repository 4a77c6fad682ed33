import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { formatTable } from '../../src/cli/format/table.ts'
import { formatLine } from '../../src/log/line.ts'
import { installPlugins } from '../fixtures/machine/installed-plugins.ts'
import { runJs, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { measureInTurns, type Measured, type Program, type Ratio } from './measures/startup.ts'

const ROUNDS = 30
/** How often as long as `node -e 0`, at the most. */
interface Target {
  readonly must?: number
  readonly stretch?: number
}

/** `connect daemon status` and `connect status` are run in prompts and scripts. */
const STATUS_TARGET = { must: 3.2, stretch: 2.5 }
/** At each press of a key. */
const COMPLETION_TARGET = { must: 2 }
/** How much longer a log of 1 GB may take to open than one of 1 KB: only its end is read. */
const LOG_TARGET = 3
const LOG_ROUNDS = 10
/** How much longer a command may take to start where three plugins are installed. */
const PLUGINS_TARGET = 1.15
const PLUGINS_ROUNDS = 40

/** Prints how long the program takes to start, beside a bare Node.js. */
export async function benchStartup(): Promise<void> {
  const world = await World.start()
  try {
    const [stopped, running] = [await world.machine('stopped'), await world.echoMachine('running')]
    await connectOk(running, ['daemon', 'start'])
    const programs: (Program & { readonly target?: Target })[] = [
      { title: 'node -e 0', argv: ['-e', '0'], env: stopped.env },
      {
        title: 'connect --version',
        argv: [runJs, '--version'],
        env: stopped.env,
        expected: 'private-connect/',
        target: { must: 2.6, stretch: 2.0 },
      },
      {
        title: 'connect --help',
        argv: [runJs, '--help'],
        env: stopped.env,
        expected: 'USAGE',
        target: { must: 3.0, stretch: 2.3 },
      },
      {
        title: 'connect daemon status, no agent',
        argv: [runJs, 'daemon', 'status'],
        env: stopped.env,
        expected: 'Status: stopped',
        target: STATUS_TARGET,
      },
      {
        title: 'connect daemon status, agent connected',
        argv: [runJs, 'daemon', 'status'],
        env: running.env,
        expected: 'Connection: connected',
        target: STATUS_TARGET,
      },
      {
        title: 'connect status, new machine',
        argv: [runJs, 'status'],
        env: world.emptyMachine('new').env,
        expected: 'Logged in: no',
        target: STATUS_TARGET,
      },
      {
        title: 'connect status, agent connected',
        argv: [runJs, 'status'],
        env: running.env,
        expected: ', connected',
        target: STATUS_TARGET,
      },
      {
        title: 'a word completed: a command',
        argv: [runJs, '__complete', 'zsh', 'connect', 'daemon', ''],
        env: stopped.env,
        expected: 'install\t',
        target: COMPLETION_TARGET,
      },
      {
        title: 'a word completed: a service, asked of the agent',
        argv: [runJs, '__complete', 'zsh', 'connect', 'reach', ''],
        env: running.env,
        expected: 'echo\tfrom running',
        target: COMPLETION_TARGET,
      },
      {
        title: 'a word completed: a machine, asked of the hub',
        argv: [runJs, '__complete', 'zsh', 'connect', 'hub', 'agent', 'revoke', ''],
        env: world.hubHome.env,
        expected: 'agent_',
        target: COMPLETION_TARGET,
      },
      { title: 'connect plugins', argv: [runJs, 'plugins'], env: stopped.env },
    ]
    const results = measureInTurns(ROUNDS, programs)
    console.log(
      `Start-up on Node.js ${process.versions.node}, ${process.platform} ${process.arch}: at least ${ROUNDS} rounds in turns`,
    )
    console.log('"ms" is the lower quartile of all rounds, "×" the ratio of that to the one of `node -e 0`;')
    console.log(
      '"halves" are × by every other round alone: a limit between them is neither met nor missed.\n',
    )
    for (const line of formatTable([
      ['', 'ms', '×', 'halves', 'must', 'stretch'],
      ...results.map((measured, at) => row(measured, programs[at]!.target)),
    ]))
      console.log(line)
    const logs = measureInTurns(LOG_ROUNDS, [
      readingLog('1 KB', withLog(world.emptyMachine('small'), 1024)),
      readingLog('1 GB', withLog(world.emptyMachine('large'), 1024 ** 3)),
    ])
    console.log(`\nHere "×" is the ratio to the log of 1 KB; the target is at most ${LOG_TARGET}.\n`)
    for (const line of formatTable([
      ['', 'ms', '×', 'halves', 'must'],
      ...logs.map((measured, at) => row(measured, at === 0 ? undefined : { must: LOG_TARGET })),
    ]))
      console.log(line)
    const plugins = benchPlugins(stopped, await world.machine('plugins'))
    console.log(`\nHere "×" is the ratio to none; the target is at most ${PLUGINS_TARGET}.\n`)
    for (const line of formatTable([['', 'ms', '×', 'halves', 'must'], ...plugins])) console.log(line)
  } finally {
    await world.stop()
  }
}

/** What each command takes without plugins, and with three. */
function benchPlugins(none: Home, three: Home): string[][] {
  installPlugins(three)
  const commands = [
    ['status', 'Hub here'],
    ['daemon status', 'Status: stopped'],
    ['--help', 'USAGE'],
  ] as const
  return commands.flatMap(([command, expected]) => {
    const argv = [runJs, ...command.split(' ')]
    const measured = measureInTurns(PLUGINS_ROUNDS, [
      { title: `connect ${command}, no plugin`, argv, env: none.env, expected },
      { title: `connect ${command}, three`, argv, env: three.env, expected },
    ])
    return measured.map((one, at) => row(one, at === 0 ? undefined : { must: PLUGINS_TARGET }))
  })
}

function row({ title, ms, ratio }: Measured, target: Target = {}): string[] {
  const judged = [target.must, target.stretch].map((limit) =>
    limit === undefined ? '' : `${limit.toFixed(2)} ${verdict(ratio, limit)}`,
  )
  return [
    title,
    ms.toFixed(0),
    ratio.all.toFixed(2),
    ratio.halves.map((half) => half.toFixed(2)).join(', '),
    ...judged,
  ]
}

/** What half of the rounds says and the other half denies is not known. */
function verdict({ all, halves }: Ratio, limit: number): string {
  const answers = new Set([all, ...halves].map((ratio) => ratio <= limit))
  if (answers.size > 1) return 'unclear'
  return answers.has(true) ? 'met' : 'not met'
}

function readingLog(size: string, { env }: Home): Program {
  return {
    title: `connect daemon logs, ${size}`,
    argv: [runJs, 'daemon', 'logs'],
    env,
    expected: 'Showing last',
  }
}

/** @param size in bytes; takes no room on the disk, but all of it would be read by who reads it whole */
function withLog(home: Home, size: number): Home {
  const file = home.file('daemon.log')
  const lines = `${formatLine(new Date(), 'info', 'Dialing localhost:5432')}\n`.repeat(15)
  mkdirSync(path.dirname(file), { recursive: true })
  writeFileSync(file, '')
  truncateSync(file, Math.max(0, size - 100 * lines.length))
  appendFileSync(file, `\n${lines.repeat(size > lines.length * 100 ? 100 : 1)}`)
  return home
}
