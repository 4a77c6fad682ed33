import { appendFileSync, mkdirSync, truncateSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { formatTable } from '../../src/cli/format/table.ts'
import { formatLine } from '../../src/log/line.ts'
import { runJs, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { measureInTurns, type Measured, type Program } from './measures/startup.ts'

const ROUNDS = 30
/** `connect daemon status` is run in prompts and scripts. */
const TARGET = 4
/** How much longer a log of 1 GB may take to open than one of 1 KB: only its end is read. */
const LOG_TARGET = 3
const LOG_ROUNDS = 10

/** Prints how long the program takes to start, beside a bare Node.js. */
export async function benchStartup(): Promise<void> {
  const world = await World.start()
  try {
    const [stopped, running] = [await world.machine('stopped'), await world.machine('running')]
    await connectOk(running, ['daemon', 'start'])
    const results = measureInTurns(ROUNDS, [
      { title: 'node -e 0', argv: ['-e', '0'], env: stopped.env },
      { title: 'connect --help', argv: [runJs, '--help'], env: stopped.env },
      {
        title: 'connect daemon status, no agent',
        argv: [runJs, 'daemon', 'status'],
        env: stopped.env,
        expected: 'Status: stopped',
      },
      {
        title: 'connect daemon status, agent connected',
        argv: [runJs, 'daemon', 'status'],
        env: running.env,
        expected: 'Connection: connected',
      },
    ])
    console.log(
      `Start-up on Node.js ${process.versions.node}, ${process.platform} ${process.arch}: ${ROUNDS} rounds in turns`,
    )
    console.log(
      `"×" is the median of each round's ratio to \`node -e 0\`; the target is at most ${TARGET}.\n`,
    )
    for (const line of formatTable([
      ['', 'median ms', '×', 'min … max', 'target'],
      ...results.map(row(TARGET)),
    ]))
      console.log(line)
    const logs = measureInTurns(LOG_ROUNDS, [
      readingLog('1 KB', withLog(world.emptyMachine('small'), 1024)),
      readingLog('1 GB', withLog(world.emptyMachine('large'), 1024 ** 3)),
    ])
    console.log(`\nHere "×" is the ratio to the log of 1 KB; the target is at most ${LOG_TARGET}.\n`)
    for (const line of formatTable([
      ['', 'median ms', '×', 'min … max', 'target'],
      ...logs.map(row(LOG_TARGET)),
    ]))
      console.log(line)
  } finally {
    await world.stop()
  }
}

function row(target: number): (measured: Measured, index: number) => string[] {
  return ({ title, medianMs, ratio }, index) => [
    title,
    medianMs.toFixed(0),
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)} … ${ratio.max.toFixed(2)}`,
    index === 0 ? '' : ratio.median <= target ? 'met' : 'not met',
  ]
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
