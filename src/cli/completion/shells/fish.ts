import { described } from './described.ts'
import type { Shell } from './shell.ts'

/** For fish, from 3.0 on. */
export const fish: Shell = {
  script: String.raw`# Completes connect in fish. It asks the program itself, so it serves any version.
function __connect_complete
    command -q connect; or return
    set -l words (commandline -opc)
    set -l raw (commandline -ct)
    set -l typed (string unescape -- "$raw"; or echo "$raw")
    set -l answer (command connect __complete fish $words "$typed" 2>/dev/null </dev/null)
    set -l head (string split ' ' -- $answer[1])
    set -e answer[1]
    set -q head[2]; or return
    if test $head[1] = program
        set -l from (math $head[2] + 1)
        set -l before
        test $from -le (count $words); and set before (string escape -- $words[$from..-1])
        complete -C (string join ' ' -- $before "$raw")
        return
    end
    set -q answer[1]; and printf '%s\n' $answer
    contains $head[1] files folders; or return
    set -l rest (string sub -s (math $head[2] + 1) -- "$raw")
    # Of a command that is none fish says which files there are.
    set -l found (complete -C "'' $rest")
    test $head[1] = folders; and set found (string match '*/' -- $found)
    set -q found[1]; and printf '%s\n' (string sub -l $head[2] -- "$typed")$found
end
complete -c connect -e
complete -c connect -f -a '(__connect_complete)'
`,
  read: (words) => ({ words: words.slice(0, -1), typed: words.at(-1) ?? '', start: 0 }),
  write: (reply) => described(reply, reply.prefix),
}
