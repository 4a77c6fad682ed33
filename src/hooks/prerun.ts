import type { Hook, Interfaces } from '@oclif/core'

/** What the plugins that come with oclif get wrong, for as long as we use them. */
const hook: Hook.Prerun = async function prerun({ Command, argv, config }) {
  if (Command.id === 'autocomplete:script') await printQuoted(Command, argv, config)
}

/** Ours in the place of its own. */
async function printQuoted(
  command: { run: unknown },
  [shell]: string[],
  { bin, cacheDir, home, shell: own }: Interfaces.Config,
): Promise<void> {
  const { autocompleteLine, isShell } = await import('../cli/autocomplete-line.ts')
  const wanted = shell ?? own
  if (!isShell(wanted)) return
  process.stdout.write(autocompleteLine(wanted, { bin, cacheFolder: cacheDir, home }))
  command.run = async () => undefined
}

export default hook
