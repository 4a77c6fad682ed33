/** Of each command what may be typed of it, as oclif.manifest.json has it. */
interface Command {
  readonly hidden?: boolean
  readonly flags: Readonly<Record<string, Flag>>
}

interface Flag {
  readonly name: string
  readonly char?: string
  readonly type: string
  readonly hidden?: boolean
  /** The values that it may have, if they are few. */
  readonly options?: readonly string[]
}

/**
 * What a shell may offer in the place of the last word, which may be empty: the words of commands, their
 * options, and the values of those that have few.
 *
 * @param commands by id: `daemon:start`
 */
export function candidates(words: readonly string[], commands: Readonly<Record<string, Command>>): string[] {
  const typed = words.at(-1) ?? ''
  const known = Object.entries(commands).filter(([, { hidden }]) => !hidden)
  let id = ''
  let open: Flag | undefined
  for (const word of words.slice(0, -1)) {
    const next = id === '' ? word : `${id}:${word}`
    if (open) open = undefined
    else if (word.startsWith('-')) open = valuedFlag(commands[id], word)
    else if (known.some(([one]) => one === next || one.startsWith(`${next}:`))) id = next
    // An argument: what stands behind it is no part of a command's name.
    else return typed.startsWith('-') ? matching(optionsOf(commands[id]), typed) : []
  }
  if (open) return matching(open.options ?? [], typed)
  if (typed.startsWith('-')) return matching(optionsOf(commands[id]), typed)
  const deeper = known.map(([one]) => one).filter((one) => id === '' || one.startsWith(`${id}:`))
  const depth = id === '' ? 0 : id.split(':').length
  return matching(
    deeper.map((one) => one.split(':')[depth]!),
    typed,
  )
}

/** The flag, if its value is the next word. */
function valuedFlag(command: Command | undefined, word: string): Flag | undefined {
  return Object.values(command?.flags ?? {}).find(
    ({ name, char, type }) => type === 'option' && (word === `--${name}` || word === `-${char}`),
  )
}

function optionsOf(command: Command | undefined): string[] {
  const flags = Object.values(command?.flags ?? {}).filter(({ hidden }) => !hidden)
  return [...flags.map(({ name }) => `--${name}`), '--help']
}

function matching(words: readonly string[], typed: string): string[] {
  return [...new Set(words)].filter((word) => word.startsWith(typed)).toSorted()
}

/** Prints them, a line each, before oclif is loaded: a shell asks at each press of a key. */
export function complete(words: readonly string[], commands: Readonly<Record<string, Command>>): void {
  // The shell may have lost interest.
  process.stdout.once('error', () => {})
  process.stdout.write(
    candidates(words, commands)
      .map((word) => `${word}\n`)
      .join(''),
  )
}
