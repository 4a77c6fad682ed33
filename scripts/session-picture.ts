// Plays the README's first session anew, on two machines of the lab (Debian, as root), and writes what it
// prints into README.md, and a picture of the terminals, docs/first-session.svg.
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { firstSession, readme, withSession } from '../test/fixtures/product/first-session.ts'
import { COLUMNS, SessionStage, type Played } from '../test/lab/helpers/session-stage.ts'
import { drawTerminals } from './picture/terminals.ts'

const picture = path.join(path.dirname(readme), 'docs', 'first-session.svg')

const stage = await SessionStage.start()
const played: Played[] = []
try {
  for (const { machine, command } of firstSession()) {
    const one = await stage.play(machine, command)
    console.log(one.coloured.join('\n'))
    played.push(one)
  }
} finally {
  await stage.stop()
}
writeFileSync(readme, withSession(readFileSync(readme, 'utf8'), played))

const windows = [...Map.groupBy(played, ({ machine }) => machine)].map(([title, all]) => ({
  title,
  lines: all.flatMap(({ coloured }) => coloured),
}))
const label = 'A terminal on the server and one on the laptop: the session that is written out below'
writeFileSync(picture, drawTerminals(windows, { columns: COLUMNS, label }))
