import type { Hook } from '@oclif/core'
import { printable, printableJson } from '../text/printable.ts'

/** A typing mistake suggests the command that was meant, and another program's word ours. */
const hook: Hook.CommandNotFound = async function commandNotFound({ id, argv = [], config }) {
  const [{ closest }, { isNear }, { ourWordsFor }, { problemsAtLoad }, { problemLine }] = await Promise.all([
    import('fastest-levenshtein'),
    import('../text/nearest.ts'),
    import('../cli/argv/other-programs.ts'),
    import('../cli/plugins/problems-at-load.ts'),
    import('../plugins/plugin-problem.ts'),
  ])
  // It may be a command of theirs.
  const warnings = problemsAtLoad().map((problem) => printable(problemLine(problem)))
  const typed = wordsOf(id)
  const message = `There is no command "${config.bin} ${printable(typed.join(' '))}"`
  const known = config.commands.filter(({ hidden }) => !hidden)
  const ours = ourWordsFor([...typed, ...argv])
  const hint = ours === undefined ? nearest() : mean(printable(ours))
  if (isForProgram(argv)) {
    const error = { code: 'USAGE', message, hints: [hint] }
    process.stdout.write(`${printableJson({ error, warnings }, 2)}\n`)
  } else {
    const lines = [...warnings.map((warning) => `[!] ${warning}`), `[x] ${message}`, `  ${hint}`]
    process.stderr.write(`${lines.map(printable).join('\n')}\n`)
  }
  this.exit(2)

  /** By the words that differ: a topic that is right says nothing of the word behind it. */
  function isLike(words: string, alike: string): boolean {
    const others = alike.split(' ')
    const own = words.split(' ')
    const [mine, theirs] = [
      own.filter((word, at) => word !== others[at]),
      others.filter((word, at) => word !== own[at]),
    ]
    return isNear(mine.join(' '), theirs.join(' '))
  }

  function mean(words: string): string {
    return `Did you mean: ${config.bin} ${words}`
  }

  /** Of what was typed the last words may be arguments: `reech pg` is `reach pg`. */
  function nearest(): string {
    for (let count = typed.length; count > 0; count--) {
      const words = typed.slice(0, count).join(' ')
      const ids = known.map((command) => command.id.replaceAll(':', ' '))
      const alike = closest(
        words,
        ids.filter((other) => other.split(' ').length === count),
      )
      if (alike === undefined || !isLike(words, alike)) continue
      const isTopic = ids.some((other) => other.startsWith(`${alike} `))
      // The mistake is in what follows, and that is like nothing.
      if (isTopic && count < typed.length) return `See: ${config.bin} ${alike} --help`
      const takesMore = Object.keys(known.find((one) => one.id === alike)?.args ?? {}).length > 0
      return mean([alike, ...(takesMore ? typed.slice(count).map(printable) : [])].join(' '))
    }
    return `See: ${config.bin} --help`
  }
}

/** oclif joins them by colons, which one of them may have in it: `localhost:5432`. */
function wordsOf(id: string): string[] {
  const line = process.argv.slice(2)
  const count = line.findIndex((_, at) => line.slice(0, at + 1).join(':') === id) + 1
  return count === 0 ? id.split(':') : line.slice(0, count)
}

function isForProgram(argv: readonly string[]): boolean {
  const end = argv.indexOf('--')
  return argv.slice(0, end === -1 ? undefined : end).includes('--json')
}

export default hook
