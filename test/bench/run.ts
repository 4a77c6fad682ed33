// Prints how long the program takes to start, beside a bare Node.js: `npm run bench`.
import { availableParallelism, loadavg } from 'node:os'
import { formatTable } from '../../src/cli/table.ts'
import { runJs, connectOk } from '../helpers/cli.ts'
import { World } from '../helpers/world.ts'
import { measureInTurns, type Measured } from './measure.ts'

const ROUNDS = 30
/** `connect daemon status` is run in prompts and scripts. */
const TARGET = 4

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
  console.log(`"×" is the median of each round's ratio to \`node -e 0\`; the target is at most ${TARGET}.\n`)
  for (const line of formatTable([['', 'median ms', '×', 'min … max', 'target'], ...results.map(row)]))
    console.log(line)
  const [load = 0] = loadavg()
  if (load > availableParallelism()) {
    console.log(`\n[!] This machine is busy (load ${load.toFixed(1)}): the figures say little.`)
  }
} finally {
  await world.stop()
}

function row({ title, medianMs, ratio }: Measured, index: number): string[] {
  const verdict = ratio.median <= TARGET ? 'met' : 'not met'
  return [
    title,
    medianMs.toFixed(0),
    ratio.median.toFixed(2),
    `${ratio.min.toFixed(2)} … ${ratio.max.toFixed(2)}`,
    index === 0 ? '' : verdict,
  ]
}
