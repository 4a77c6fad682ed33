/** Of each command what decides where its words end, as oclif.manifest.json has it. */
export interface Commands {
  readonly [id: string]: {
    readonly args: object
    readonly flags: Readonly<
      Record<string, { readonly type: string; readonly name: string; readonly char?: string }>
    >
  }
}

const HELP = ['-h', '--help']

/**
 * Puts a command's words before its options, so that `daemon --hub URL start` is `daemon start --hub URL`:
 * oclif takes the first option for the end of the command's name. What is after `--`, or none of our
 * business, stays as it is.
 *
 * @param commands by id: `daemon:start`
 */
export function orderArguments(argv: readonly string[], commands: Commands): readonly string[] {
  const valued = optionsOf(commands, 'option')
  const known = new Set([...valued, ...optionsOf(commands, 'boolean'), ...HELP])
  const words: string[] = []
  const options: string[] = []
  let at = 0
  while (at < argv.length && mayGoOn(words, commands)) {
    const token = argv[at]!
    if (!token.startsWith('-')) {
      words.push(token)
      at++
      continue
    }
    const name = optionName(token)
    // Another program's option: nobody here knows whether a value follows.
    if (!known.has(name)) return argv
    const takesNext = token === name && valued.has(name)
    options.push(...argv.slice(at, at + (takesNext ? 2 : 1)))
    at += takesNext ? 2 : 1
  }
  return [...words, ...options, ...argv.slice(at)]
}

/** Whether another word could belong to the command: it is a topic, and takes no arguments of its own. */
function mayGoOn(words: readonly string[], commands: Commands): boolean {
  if (words.length === 0) return true
  const id = words.join(':')
  const hasMore = Object.keys(commands).some((other) => other.startsWith(`${id}:`))
  return hasMore && Object.keys(commands[id]?.args ?? {}).length === 0
}

/** `--hub` of `--hub=URL`, `-n` of `-n5`. */
function optionName(token: string): string {
  return token.startsWith('--') ? token.split('=', 1)[0]! : token.slice(0, 2)
}

function optionsOf(commands: Commands, type: 'option' | 'boolean'): Set<string> {
  const flags = Object.values(commands).flatMap((command) => Object.values(command.flags))
  const ours = flags.filter((flag) => flag.type === type)
  return new Set(ours.flatMap(({ name, char }) => [`--${name}`, ...(char === undefined ? [] : [`-${char}`])]))
}
