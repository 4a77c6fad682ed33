import type { Hook } from '@oclif/core'

/** A typo suggests the command that was meant. */
const hook: Hook.CommandNotFound = async function commandNotFound({ id, config }) {
  const { closest, distance } = await import('fastest-levenshtein')
  const known = config.commands.filter(({ hidden }) => !hidden).map((command) => command.id)
  const suggestion = closest(id, known)
  const words = (command: string) => command.replaceAll(':', ' ')
  const isNear = distance(id, suggestion) <= Math.max(2, Math.floor(id.length / 3))
  process.stderr.write(
    `[x] There is no command "${config.bin} ${words(id)}"\n` +
      (isNear ? `  Did you mean: ${config.bin} ${words(suggestion)}\n` : `  See: ${config.bin} --help\n`),
  )
  this.exit(2)
}

export default hook
