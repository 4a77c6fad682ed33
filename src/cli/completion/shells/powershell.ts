import type { Reply } from './reply.ts'
import type { Shell } from './shell.ts'

/**
 * For PowerShell 7, and Windows PowerShell 5.1, which loses empty arguments and quotes on their way to a
 * program: so what is asked comes in the environment, a line for each word. What is answered is in ASCII,
 * since on Windows either reads it in whatever the console's code page is.
 */
export const powershell: Shell = {
  script: String.raw`# Completes connect in PowerShell. It asks the program itself, so it serves any version.
Register-ArgumentCompleter -Native -CommandName connect -ScriptBlock {
  param($typed, $ast, $cursor)
  # In a session however strict; outside of here nothing of it is changed.
  Set-StrictMode -Off
  $ErrorActionPreference = 'SilentlyContinue'
  $PSNativeCommandUseErrorActionPreference = $false
  $program = Get-Command connect -CommandType Application -ErrorAction Ignore | Select-Object -First 1
  if (!$program) { return '' }
  # $typed is in quotes where the word is, even in those that are still to come.
  $word = "$typed"
  $end = $cursor
  $words = @(foreach ($element in $ast.CommandElements) {
      $isText = $element -is [System.Management.Automation.Language.StringConstantExpressionAst]
      $text = if ($isText) { $element.Value } else { $element.Extent.Text }
      if ($element.Extent.EndOffset -lt $cursor) { $text }
      elseif ($element.Extent.StartOffset -lt $cursor) {
        $end = $element.Extent.EndOffset
        if ($isText) { $word = $text }
      }
    })
  $exitCode = $global:LASTEXITCODE
  try {
    $env:CONNECT_COMPLETE = ($words + $word) -join [char]10
    $answer = @(& $program __complete powershell 2>$null | ForEach-Object { [regex]::Unescape($_) })
  } catch {
    $answer = @()
  } finally {
    $env:CONNECT_COMPLETE = $null
    $global:LASTEXITCODE = $exitCode
  }
  if ($answer.Count -eq 0) { return '' }
  $kind, $count = $answer[0] -split ' '
  $found = @(foreach ($line in $answer | Select-Object -Skip 1) {
      $value, $shown, $about = $line -split [char]9
      [System.Management.Automation.CompletionResult]::new($value, $shown, 'ParameterValue', $about)
    })
  if ($kind -eq 'program' -and ($words.Count -gt $count -or $word)) {
    $start = $ast.CommandElements[$count].Extent.StartOffset
    $line = $ast.Extent.StartScriptPosition.GetFullScript().Substring($start, $end - $start)
    try { $found = @((TabExpansion2 -inputScript $line -cursorColumn ($cursor - $start)).CompletionMatches) } catch {}
  } elseif ($kind -eq 'files' -or $kind -eq 'folders') {
    $prefix = $word.Substring(0, $count)
    $rest = if ($prefix) { $word.Substring($count) } else { "$typed" }
    $files = [System.Management.Automation.CompletionCompleters]::CompleteFilename($rest)
    $found += @(foreach ($file in $files) {
        if ($kind -eq 'folders' -and $file.ResultType -ne 'ProviderContainer') { continue }
        # What is escaped here is so for cmdlets, and a program would take the backticks as they are.
        $text = $prefix + ($file.CompletionText -replace '\x60+\[', '[' -replace '\x60+\]', ']')
        if ($found.CompletionText -contains $text) { continue }
        [System.Management.Automation.CompletionResult]::new(
          $text, $file.ListItemText, $file.ResultType, $file.ToolTip)
      })
  }
  # Nothing at all would be files. An empty text fails, and whoever has asked takes that for none.
  if ($found.Count -eq 0) { '' } else { $found }
}
`,
  read() {
    const words = (process.env.CONNECT_COMPLETE ?? '').split('\n')
    return { words: words.slice(0, -1), typed: words.at(-1) ?? '', start: 0 }
  },

  /** It is told what is inserted, what is listed, and what is said of it, which must not be empty. */
  write({ kind, candidates, prefix, typed, first }: Reply) {
    const fitting = candidates.filter(({ value }) => value.toLowerCase().startsWith(typed.toLowerCase()))
    const lines = fitting.map(({ value, about }) =>
      [quoted(`${prefix}${value}`), value, about || value].join('\t'),
    )
    return [`${kind} ${kind === 'program' ? first : prefix.length}`, ...lines].map(inAscii)
  },
}

/** As .NET's Regex.Unescape reads it. */
function inAscii(line: string): string {
  return line.replaceAll(/[\\\u0080-\uFFFF]/g, (unit) =>
    unit === '\\' ? '\\\\' : `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}

/** In single quotes, the curved ones too, two of them are one (about_Quoting_Rules). */
function quoted(word: string): string {
  return /^[\w=:./\\-][\w=:./\\@-]*$/.test(word) ? word : `'${word.replaceAll(/['‘’‚‛]/g, '$&$&')}'`
}
