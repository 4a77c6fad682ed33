import path from 'node:path'

type Shell = 'bash' | 'zsh'

export function isShell(name: string): name is Shell {
  return name === 'bash' || name === 'zsh'
}

/**
 * The line that has a shell complete our commands, as `printf "$(…)" >> ~/.bashrc` of the instructions
 * takes it. That of @oclif/plugin-autocomplete, and the files that it leads to, name paths without quotes.
 *
 * @param cacheFolder where that plugin keeps what it makes
 */
export function autocompleteLine(
  shell: Shell,
  options: { bin: string; cacheFolder: string; home: string },
): string {
  const { bin, cacheFolder, home } = options
  const functions = path.join(cacheFolder, 'autocomplete', 'functions', shell)
  const file = shell === 'bash' ? path.join(functions, `${bin}.bash`) : functions
  const name = `${bin.toUpperCase()}_AC_${shell.toUpperCase()}_SETUP_PATH`
  const use =
    shell === 'bash'
      ? `test -f "$${name}" && source "$${name}"`
      : `test -d "$${name}" && fpath=("$${name}" $fpath) && autoload -Uz compinit && compinit`
  return `\n${name}=${shellPath(file, home)} && ${use}; # ${bin} autocomplete setup\n`
}

/**
 * Without a character that the shell or printf would take for something else, where the home folder is
 * the odd part.
 */
function shellPath(file: string, home: string): string {
  const below = path.relative(home, file)
  if (!below.startsWith('..') && /^[\w@+=:,./-]+$/.test(below)) return `"$HOME/${below}"`
  const quoted = `'${file.replaceAll("'", String.raw`'\''`)}'`
  return quoted.replaceAll(/[%\\]/g, (character) => (character === '%' ? '%%' : String.raw`\\`))
}
