import { OURS, type Command, type Commands, type Flag } from './commands.ts'
import type { Cursor } from './cursor.ts'
import type { Candidate, Reply } from './shells/reply.ts'
import { valuesOfArgument, valuesOfFlag } from './values.ts'

/** Describes a topic that is no command itself: `hub agent`. */
export type Topics = Readonly<Record<string, { description?: string; subtopics?: Topics }>>

/** Of a program that is asked about itself. */
const ABOUT = [
  { value: '--version', about: 'show its version' },
  { value: '--help', about: 'show help' },
]

/** What may stand where the cursor is. @throws ConnectError if a file that tells it can't be read */
export async function replyAt(cursor: Cursor, commands: Commands, topics: Topics): Promise<Reply> {
  const { prefix, typed } = cursor
  const reply = { kind: 'words', candidates: [], prefix, typed, first: 0 } as const
  return { ...reply, ...(await wordsAt(cursor, commands, topics)) }
}

async function wordsAt(cursor: Cursor, commands: Commands, topics: Topics): Promise<Partial<Reply>> {
  if (cursor.at === 'program') return { kind: 'program', first: cursor.first }
  if (cursor.at === 'option') return { candidates: optionsOf(cursor, commands) }
  if (cursor.at === 'value') return valuesOfFlag(cursor.flag, cursor.command?.pluginName === OURS)
  if (cursor.at === 'argument') return valuesOfArgument(cursor.argument, cursor)
  if (cursor.at === 'ssh') {
    const { sshReply } = await import('./ssh-words.ts')
    return sshReply(cursor.words, cursor.typed)
  }
  if (cursor.at === 'nothing') return {}
  const names = namesBelow(cursor.id, commands, topics)
  const values = cursor.argument && (await valuesOfArgument(cursor.argument, cursor))
  return { ...values, candidates: [...names, ...(values?.candidates ?? [])] }
}

/** The next words of commands whose names begin with these. */
function namesBelow(id: string, commands: Commands, topics: Topics): Candidate[] {
  const begin = id === '' ? '' : `${id}:`
  const known = Object.entries(commands).filter(([one, { hidden }]) => !hidden && one.startsWith(begin))
  const words = new Set(known.map(([one]) => one.slice(begin.length).split(':', 1)[0]!))
  return [...words].toSorted().map((value) => {
    const command = commands[`${begin}${value}`]
    return { value, about: command ? sentenceOf(command) : topicAt(`${begin}${value}`, topics) }
  })
}

function topicAt(id: string, topics: Topics): string | undefined {
  const [word = '', ...rest] = id.split(':')
  const topic = topics[word]
  return rest.length === 0 ? topic?.description : topicAt(rest.join(':'), topic?.subtopics ?? {})
}

/** Those of the command that may still be given; before there is one, those of `connect` alone. */
function optionsOf(
  { command, given, typed }: Extract<Cursor, { at: 'option' }>,
  commands: Commands,
): Candidate[] {
  const { flags = {} } = command ?? commands.status ?? {}
  const open = Object.values(flags).filter(
    ({ name, hidden, multiple, exclusive = [] }) =>
      !hidden && (multiple || !given.has(name)) && !exclusive.some((other) => given.has(other)),
  )
  const own = open.flatMap((flag) => spellings(flag, typed))
  const about = (command ? ABOUT.slice(1) : ABOUT).filter(({ value }) => !(value.slice(2) in flags))
  return [...own.toSorted((a, b) => (a.value < b.value ? -1 : 1)), ...about]
}

/** The letter only where it is still open what is meant. */
function spellings(flag: Flag, typed: string): Candidate[] {
  const about = sentenceOf(flag)
  const names = [`--${flag.name}`]
  if (flag.allowNo) names.push(`--no-${flag.name}`)
  if (flag.char !== undefined && !typed.startsWith('--')) names.push(`-${flag.char}`)
  return names.map((value) => ({ value, about }))
}

/** The first line, without what oclif fills in. */
function sentenceOf({ summary, description }: Pick<Command, 'summary' | 'description'>): string {
  const [line = ''] = (summary ?? description ?? '').split('\n', 1)
  return line.replaceAll('<%= config.bin %>', 'connect')
}
