import { existsSync, readdirSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import type { DaemonStatus } from '../../src/tasks/status.ts'
import { joined } from '../fixtures/joined.ts'
import { connect, connectOk } from '../helpers/cli.ts'
import type { Home } from '../helpers/home.ts'
import { World } from '../helpers/world.ts'
import { agentsOf } from './helpers/agents.ts'
import { canBeTrue, claimOf, type Said } from './helpers/claims.ts'
import type { Random } from './helpers/random.ts'
import { soakSuite } from './helpers/soak.ts'

/** One instance of a home, and the process that is its agent by all that was checked so far. */
interface Subject {
  readonly home: Home
  readonly options: readonly string[]
  readonly configFile: string | undefined
  /** What its files begin with. */
  readonly prefix: string
  running: number | null
}

const ACTIONS = [
  'start',
  'start',
  'start --replace',
  'stop',
  'stop',
  'restart',
  'status',
  'up --detach',
] as const

soakSuite('daemon commands at random, several at once', ({ random, length }) => {
  let world: World

  beforeAll(async () => {
    world = await World.start()
  })

  afterAll(() => world.stop())

  test('leave one agent or none, and say only what is true', async () => {
    const home = await joined(world)
    const other = home.file('staging.json')
    const env = { PRIVATECONNECT_TOKEN: await world.joinToken() }
    await connectOk(home, ['login', '--hub', world.hubUrl, '--config', other], { env })
    const subjects: Subject[] = [
      { home, options: [], configFile: undefined, prefix: '', running: null },
      { home, options: ['--config', other], configFile: other, prefix: 'staging.', running: null },
    ]
    const rounds = length({ short: 15, long: 200 })
    for (let number = 1; number <= rounds; number++) await round(number, subjects, random)
  })
})

async function round(number: number, subjects: readonly Subject[], random: Random): Promise<void> {
  const commands = Array.from({ length: random.between(2, 4) }, () => ({
    subject: random.chance(0.75) ? subjects[0]! : subjects[1]!,
    action: random.pick(ACTIONS),
    asJson: random.chance(0.3),
    // Some at once, some into the midst of the others.
    afterMs: random.chance(0.5) ? 0 : random.between(0, 800),
  }))
  const answers = await Promise.all(
    commands.map(async ({ subject, action, asJson, afterMs }) => {
      await sleep(afterMs)
      return { subject, said: await run(number, subject, action, asJson) }
    }),
  )
  for (const subject of subjects) {
    const said = answers.filter((answer) => answer.subject === subject).map((answer) => answer.said)
    await check(number, subject, said)
  }
}

async function run(
  number: number,
  { home, options }: Subject,
  action: string,
  asJson: boolean,
): Promise<Said> {
  const words = action === 'up --detach' ? action.split(' ') : ['daemon', ...action.split(' ')]
  const began = performance.now()
  const { code, signal, stdout, stderr } = await connect(
    home,
    [...words, ...options, ...(asJson ? ['--json'] : [])],
    { timeoutMs: 100_000 },
  )
  const ended = performance.now()
  const title = `round ${number}: ${action} ${options.join(' ')}`
  expect({ code, signal, stderr }, `${title}\n${stdout}`).toEqual({ code: 0, signal: null, stderr: '' })
  return {
    title: `${title}: ${stdout}`,
    claim: claimOf(action, stdout),
    began,
    ended,
  }
}

/** Holds what the commands have said, the files and the system against each other. */
async function check(number: number, subject: Subject, said: readonly Said[]): Promise<void> {
  const { home, options, configFile, prefix } = subject
  const before = subject.running
  const alive = agentsOf(home, configFile)
  const status = JSON.parse(await connectOk(home, ['daemon', 'status', '--json', ...options])) as DaemonStatus
  const story = [`ran before: ${before}`, ...said.map(({ title }) => title), `run now: ${alive.join()}`].join(
    '\n',
  )
  expect(alive, `round ${number}\n${story}`).toEqual(status.pid === null ? [] : [status.pid])
  expect(status.status, story).toBe(status.pid === null ? 'stopped' : 'running')
  if (status.pid !== null) expect(status.connection?.state, story).toBe('connected')
  const [running = null] = alive
  // A status that is asked while others work may see the moment between a stop and a start.
  const settled = said.filter(({ claim }) => claim.kind !== 'status')
  expect(canBeTrue(before, settled, running), story).toBe(true)
  const known = new Set([before, null, ...settled.map(({ claim }) => ('pid' in claim ? claim.pid : null))])
  for (const { claim } of said) if (claim.kind === 'status') expect(known, story).toContain(claim.pid)
  subject.running = running

  const file = (name: string) => home.file(`${prefix}${name}`)
  const pidFile = existsSync(file('daemon.pid')) ? readFileSync(file('daemon.pid'), 'utf8') : null
  expect(pidFile, story).toBe(running === null ? null : `${running}\n`)
  const folder = path.dirname(home.file('config.json'))
  expect(
    readdirSync(folder).filter((name) => name.endsWith('.tmp')),
    story,
  ).toEqual([])
  checkLog(file('daemon.log'), running !== null, story)
}

/** Each agent begins after the one before it has ended. */
function checkLog(file: string, isRunning: boolean, story: string): void {
  const log = existsSync(file) ? readFileSync(file, 'utf8') : ''
  const marks = [...log.matchAll(/ (?:🚀 (Starting) Private Connect Agent\.\.\.|(Stopped))$/gm)]
  const words = marks.map(([, starting, stopped]) => starting ?? stopped)
  const expected = words.map((_, index) => (index % 2 === 0 ? 'Starting' : 'Stopped'))
  expect(words, story).toEqual(expected)
  expect(words.at(-1), story).toBe(isRunning ? 'Starting' : words.length === 0 ? undefined : 'Stopped')
}
