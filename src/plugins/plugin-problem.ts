/** What keeps a plugin, or a platform that it brings, from being used. */
export interface PluginProblem {
  /** Its name; undefined if it is all of them. */
  readonly plugin: string | undefined
  /** What follows the plugin's name in a sentence; a sentence of its own if there is none. */
  readonly what: string
}

/** One line for the user: it names the plugin, and what mends it. */
export function problemLine({ plugin, what }: PluginProblem): string {
  if (plugin === undefined) return what
  return `Plugin ${plugin} ${what}. To remove it: ${uninstallCommand(plugin)}`
}

export function uninstallCommand(plugin: string): string {
  return `connect plugins uninstall ${plugin}`
}
