import path from 'node:path'
import { shellQuote } from '../../text/shell-quote.ts'
import { tilde } from '../../text/tilde.ts'

/** Where a user's files lie. */
export interface Surroundings {
  readonly home: string
  readonly env: NodeJS.ProcessEnv
  readonly platform: NodeJS.Platform
}

/** What a shell runs at its start, so that it completes; as it is typed there. */
export function startLine(shell: string): string {
  if (shell === 'fish') return 'connect autocomplete fish | source'
  if (shell === 'powershell') return 'connect autocomplete powershell | Out-String | Invoke-Expression'
  return `eval "$(connect autocomplete ${shell})"`
}

/** The lines that have that be run at each start of the shell, as they are typed there: once. */
export function setupLines(shell: string, { home, env, platform }: Surroundings): string[] {
  const line = startLine(shell)
  switch (shell) {
    case 'bash': {
      // What a terminal of macOS starts is a login shell.
      const file = path.join(home, platform === 'darwin' ? '.bash_profile' : '.bashrc')
      return [`echo '${line}' >> ${typedPath(file, home, shellQuote)}`]
    }
    case 'zsh': {
      const file = path.join(env.ZDOTDIR || home, '.zshrc')
      return [`echo '${line}' >> ${typedPath(file, home, shellQuote)}`]
    }
    case 'fish': {
      // fish loads a file from there by itself, once it is needed.
      const folder = path.join(env.XDG_CONFIG_HOME || path.join(home, '.config'), 'fish', 'completions')
      const [into, file] = [folder, path.join(folder, 'connect.fish')].map((it) =>
        typedPath(it, home, fishQuote),
      )
      return [`mkdir -p ${into}`, `connect autocomplete fish > ${file}`]
    }
    default:
      return [
        'if (!(Test-Path $PROFILE)) { New-Item -Force -ItemType File $PROFILE }',
        // What stands there may end without a line break.
        `Add-Content $PROFILE '', '${line}'`,
      ]
  }
}

/** Below the home folder by its `~`, which no quotes may surround; however odd that folder's own name is. */
function typedPath(file: string, home: string, quote: (word: string) => string): string {
  const short = tilde(file, home)
  return short.startsWith('~/') ? `~/${quote(short.slice(2))}` : quote(file)
}

/** In single quotes fish takes `\\` and `\'` for what they stand for, unlike a POSIX shell. */
function fishQuote(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll(/['\\]/g, String.raw`\$&`)}'`
}
