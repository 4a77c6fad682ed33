import type { Reply } from './reply.ts'
import type { Question, Shell } from './shell.ts'

/**
 * For bash from 3.2 on, which macOS has, and without bash-completion. It is given the whole line, since bash
 * takes `postgres:5432` for three words, 3.2 for one.
 */
export const bash: Shell = {
  script: `# Completes connect in bash. It asks the program itself, so it serves any version.
_connect() {
  local answer kind='' count=0 line
  COMPREPLY=()
  answer=$(command connect __complete bash "\${COMP_LINE:0:COMP_POINT}" "$COMP_WORDBREAKS" 2>/dev/null </dev/null)
  {
    read -r kind count
    while IFS= read -r line; do COMPREPLY+=("$line"); done
  } <<<"$answer"
  case $kind in
    files) _connect_files "$2" "$count" ;;
    # bash 3.2 has no compopt, and offers files where nothing is known.
    folders) compopt -o dirnames +o default 2>/dev/null ;;
    program) _connect_program "$2" ;;
    *) compopt +o default 2>/dev/null ;;
  esac
  return 0
}
# Files beside what was answered. Else bash finds them by itself, as it does best.
_connect_files() {
  local line
  if [ "\${#COMPREPLY[@]}" -eq 0 ] && [ "$2" -eq 0 ]; then return; fi
  if [[ $1 == *\\\\* ]] || ! compopt -o filenames 2>/dev/null; then
    COMPREPLY=()
    return
  fi
  while IFS= read -r line; do
    if [ -n "$line" ]; then COMPREPLY+=("$line"); fi
  done <<<"$(compgen -P "\${1:0:$2}" -f -- "\${1:$2}")"
}
# The program behind --, and what its own completion says.
_connect_program() {
  local at=0 line
  while [ "\${COMP_WORDS[at]}" != -- ]; do at=$((at + 1)); done
  if declare -F _command_offset >/dev/null; then
    _command_offset $((at + 1))
  elif [ "$COMP_CWORD" -eq $((at + 1)) ]; then
    while IFS= read -r line; do
      if [ -n "$line" ]; then COMPREPLY+=("$line"); fi
    done <<<"$(compgen -c -- "$1")"
  fi
}
complete -o default -F _connect connect
`,

  read([line = '', breaks = '']) {
    const words: string[] = []
    let word: string | undefined
    let quote = ''
    let start = 0
    for (let at = 0; at < line.length; at++) {
      const character = line[at]!
      if (character === quote) {
        quote = ''
        start = word!.length
      } else if (quote === "'") word += character
      else if (character === '\\' && (quote === '' || /["$\\`]/.test(line[at + 1] ?? '')))
        word = `${word ?? ''}${line[++at] ?? ''}`
      else if (quote === '"') word += character
      else if (character === '"' || character === "'") {
        quote = character
        word ??= ''
        start = word.length
      } else if (/\s/.test(character)) {
        if (word !== undefined) words.push(word)
        word = undefined
        start = 0
      } else {
        word = `${word ?? ''}${character}`
        // These two it replaces as well: rl_special_prefixes of readline(3).
        if (breaks.includes(character)) start = word.length - ('$@'.includes(character) ? 1 : 0)
      }
    }
    return { words, typed: word ?? '', start }
  },

  /** What bash replaces is what stands behind the last of its breaks, and not the whole word. */
  write({ kind, candidates, prefix, typed }: Reply, { start }: Question) {
    const fitting = candidates.filter(({ value }) => value.startsWith(typed))
    const rest = fitting.map(({ value }) => `${prefix}${value}`.slice(start))
    return [`${kind} ${Math.max(0, prefix.length - start)}`, ...rest]
  },
}
