// How fast it is: `npm run bench`, or `npm run bench -- tunnel --rounds 3 --quick`.
import { mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../helpers/cli.ts'
import { benchMemory } from './memory.ts'
import { benchGrowth } from './growth.ts'
import { busyNote, describeMachine } from './machine.ts'
import { benchHostile } from './hostile.ts'
import { parseOptions, type Options } from './options.ts'
import { profileTunnel } from './profile.ts'
import { drawChart } from './report/svg.ts'
import { formatReport } from './report/table.ts'
import { benchStartup } from './startup.ts'
import { OURS } from './topologies/connect.ts'
import { traceTunnel } from './trace.ts'
import { benchTransports } from './transport.ts'
import { measureTunnels } from './tunnel.ts'

const options = parseOptions(process.argv.slice(2))
const busy = busyNote()
for (const part of options.parts) {
  if (part === 'startup') await benchStartup()
  else if (part === 'memory') await benchMemory(options)
  else if (part === 'profile') await profileTunnel(options)
  else if (part === 'trace') await traceTunnel(options)
  else if (part === 'hostile') await benchHostile(options)
  else if (part === 'growth') await benchGrowth(options)
  else if (part === 'transport') await benchTransports(options, busy)
  else await benchTunnel(options)
}
if (busy !== undefined) console.log(`\n${busy}`)

/** A quick look is printed; only the whole is written down. */
async function benchTunnel({ quick, rounds }: Options): Promise<void> {
  const results = await measureTunnels({ quick, rounds }, (line) => console.error(line))
  const report = formatReport(results, { machine: describeMachine(), date: new Date(), rounds, busy })
  console.log(report)
  if (quick) return
  const folder = path.join(root, 'bench', 'results')
  mkdirSync(folder, { recursive: true })
  writeFileSync(path.join(folder, 'tunnel.md'), `${report}\n![The figures as bars](tunnel.svg)\n`)
  writeFileSync(
    path.join(folder, 'tunnel.svg'),
    drawChart(results, (name) => OURS.some((ours) => ours.name === name)),
  )
}
