/*
 * Words of the command line that are another program's. They are taken off before oclif sees them: it would
 * drop a `--`, sort what is behind it, and take its -h for a call for help.
 */
let foreign: readonly string[] | undefined

/**
 * Takes off what is behind the first `--` of `reach`, and all that follows `ssh`. Everywhere else `--` ends
 * the options, as usual.
 *
 * @param argv with the command's words first
 * @returns what is left for oclif
 */
export function takeForeignWords(argv: readonly string[]): readonly string[] {
  const [command, next] = argv
  if (command === 'ssh' && next !== '--help' && next !== '-h') {
    foreign = argv.slice(1)
    return argv.slice(0, 1)
  }
  const end = command === 'reach' ? argv.indexOf('--') : -1
  if (end === -1) return argv
  foreign = argv.slice(end + 1)
  return argv.slice(0, end)
}

/** @returns undefined if the command line has no place for any; none is there where the list is empty */
export function foreignWords(): readonly string[] | undefined {
  return foreign
}
