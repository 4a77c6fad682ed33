/** Our commands by what one wants to do, in the order of a first session. */
const GROUPS: readonly (readonly [title: string, words: readonly string[]])[] = [
  ['THIS MACHINE', ['status', 'login', 'logout', 'whoami', 'doctor']],
  ['OFFER A SERVICE', ['expose', 'unexpose']],
  ['REACH A SERVICE', ['services', 'reach', 'unreach', 'ssh']],
  ['KEEP IT RUNNING', ['daemon', 'up']],
  ['RUN A HUB', ['hub']],
  ['IN YOUR SHELL', ['help', 'autocomplete']],
  ['EXTEND IT', ['plugins']],
]

/** Of those that were installed. */
export const OF_PLUGINS = 'FROM PLUGINS'

/**
 * @param commands by id: `daemon:start` is in the group of `daemon`
 * @returns each once, in its group; groups without any are left out
 */
export function groupCommands<T extends { id: string }>(commands: readonly T[]): [title: string, T[]][] {
  const ofWord = (word: string) => commands.filter(({ id }) => id.split(':', 1)[0] === word)
  const grouped = GROUPS.map(([title, words]): [string, T[]] => [title, words.flatMap(ofWord)])
  const ours = new Set(grouped.flatMap(([, members]) => members))
  const others: [string, T[]] = [OF_PLUGINS, commands.filter((command) => !ours.has(command))]
  return [...grouped, others].filter(([, members]) => members.length > 0)
}
