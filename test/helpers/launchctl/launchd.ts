import {
  closeSync,
  constants,
  existsSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  watch,
  writeFileSync,
  writeSync,
} from 'node:fs'
import path from 'node:path'
import { codeOf } from '../../../src/errors.ts'
import { Domains, type Answer } from './domains.ts'
import { WELL, type Switches } from './switches.ts'

/** Stands for launchd: `node launchd.ts FOLDER HOME`, until whoever forked it is gone. */
const [folder = '', home = ''] = process.argv.slice(2)
const calls = path.join(folder, 'calls')
const overrides = path.join(folder, 'disabled.json')
let switches: Switches = WELL
const log: string[] = []

const domains = new Domains({
  home,
  switches: () => switches,
  setSwitches: (changed) => (switches = { ...switches, ...changed }),
  disabled: new Map(
    existsSync(overrides) ? (JSON.parse(readFileSync(overrides, 'utf8')) as [string, boolean][]) : [],
  ),
  // It outlives the job, its plist, and a restart.
  onDisabled: (disabled) => writeFileSync(overrides, JSON.stringify([...disabled])),
})

function takeCalls(): void {
  for (const name of readdirSync(calls)) {
    const file = path.join(calls, name)
    if (!name.endsWith('.call')) continue
    let words: string[]
    try {
      words = readFileSync(file, 'utf8').split('\0').slice(0, -1)
    } catch {
      // Its caller was killed, and had someone clear it away.
      continue
    }
    rmSync(file)
    log.push(words.join(' '))
    const answer = domains.call(words)
    if (answer !== 'never') give(file.slice(0, -'.call'.length), answer)
  }
}

const answered: string[] = []

/** Who asked has read the answer by the time that so many others have asked. */
const KEPT = 200

function give(call: string, { code, stdout = '', stderr = '' }: Answer): void {
  answered.push(call)
  if (answered.length > KEPT) {
    const old = answered.shift()!
    if (!answered.includes(old))
      for (const end of ['answer', 'stdout', 'stderr']) rmSync(`${old}.${end}`, { force: true })
  }
  writeFileSync(`${call}.stdout`, stdout)
  writeFileSync(`${call}.stderr`, stderr)
  try {
    const pipe = openSync(`${call}.answer`, constants.O_WRONLY | constants.O_NONBLOCK)
    writeSync(pipe, `${code}\n`)
    closeSync(pipe)
  } catch (error) {
    // Who asked did not wait for the answer.
    if (!['ENXIO', 'EPIPE', 'ENOENT'].includes(codeOf(error) ?? '')) throw error
  }
}

type Message =
  | { readonly id: number; readonly verb: 'set'; readonly switches: Partial<Switches> }
  | { readonly id: number; readonly verb: 'call'; readonly words: string[] }
  | { readonly id: number; readonly verb: 'jobs' | 'log' | 'login' | 'logout' | 'close' }

async function obey(message: Message): Promise<unknown> {
  if (message.verb === 'set') switches = { ...switches, ...message.switches }
  if (message.verb === 'call') return domains.call(message.words)
  if (message.verb === 'jobs') return domains.jobs()
  if (message.verb === 'log') return log.splice(0)
  if (message.verb === 'login') domains.login()
  if (message.verb === 'logout' || message.verb === 'close') await domains.logout()
  return null
}

async function reply(message: Message): Promise<void> {
  const answer = await obey(message)
  process.send?.({ id: message.id, answer }, undefined, undefined, () => {
    if (message.verb === 'close') process.exit(0)
  })
}

process.on('message', (message: Message) => {
  void reply(message)
})
// The test is gone, however it went.
process.on('disconnect', () => void domains.logout().then(() => process.exit(0)))
watch(calls, takeCalls)
takeCalls()
process.send?.({ id: 0, answer: null })
