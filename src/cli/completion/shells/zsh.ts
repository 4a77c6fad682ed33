import { described } from './described.ts'
import type { Shell } from './shell.ts'

/** For zsh, whether its completion (compinit) is on already, will be, or not. */
export const zsh: Shell = {
  script: `#compdef connect
# Completes connect in zsh. It asks the program itself, so it serves any version.
_connect() {
  local -a answer head listed
  local line value about
  local ret=1
  answer=("\${(@f)$(command connect __complete zsh "\${(@Q)words[1,CURRENT-1]}" "\${(Q)PREFIX}" 2>/dev/null </dev/null)}")
  head=("\${(@s: :)answer[1]}")
  if [[ $head[1] == program ]]; then
    shift $head[2] words
    (( CURRENT -= head[2] ))
    _normal
    return
  fi
  [[ $head[2] == <1-> ]] && compset -p $head[2]
  for line in "\${(@)answer[2,-1]}"; do
    value=\${line%%$'\\t'*}
    about=\${line#*$'\\t'}
    listed+=("\${value//:/\\\\:}\${about:+:$about}")
  done
  (( $#listed )) && _describe -t values value listed && ret=0
  case $head[1] in
    files) _files && ret=0 ;;
    folders) _files -/ && ret=0 ;;
  esac
  return ret
}
# At the first prompt, when all that the user has set up is there.
_connect_setup() {
  add-zsh-hook -d precmd _connect_setup
  if ! (( $+functions[compdef] )); then
    autoload -Uz compinit
    compinit -i
  fi
  compdef _connect connect
}
if [[ \${funcstack[1]-} == _connect ]]; then
  _connect "$@"
else
  autoload -Uz add-zsh-hook
  add-zsh-hook precmd _connect_setup
fi
`,
  read: (words) => ({ words: words.slice(0, -1), typed: words.at(-1) ?? '', start: 0 }),
  // What stands before the values zsh has set aside, by compset.
  write: (reply) => described(reply, ''),
}
