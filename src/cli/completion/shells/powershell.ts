import type { Reply } from './reply.ts'
import type { Shell } from './shell.ts'

/**
 * For PowerShell 7, and Windows PowerShell 5.1, which loses empty arguments and quotes on their way to a
 * program: so what is asked comes in the environment, a line for each word.
 */
export const powershell: Shell = {
  script: String.raw`# Completes connect in PowerShell. It asks the program itself, so it serves any version.
Register-ArgumentCompleter -Native -CommandName connect -ScriptBlock {
  param($typed, $ast, $cursor)
  $words = @(foreach ($element in $ast.CommandElements) {
      if ($element.Extent.EndOffset -ge $cursor) { break }
      if ($element -is [System.Management.Automation.Language.StringConstantExpressionAst]) { $element.Value }
      else { $element.Extent.Text }
    })
  $env:CONNECT_COMPLETE = ($words + "$typed") -join [char]10
  $answer = @(connect __complete powershell 2>$null)
  $env:CONNECT_COMPLETE = $null
  if ($answer.Count -eq 0) { return '' }
  $kind, $count = $answer[0] -split ' '
  if ($kind -eq 'program') {
    $line = (@($words | Select-Object -Skip $count) + "$typed") -join ' '
    return (TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches
  }
  $found = @(foreach ($line in $answer | Select-Object -Skip 1) {
      $value, $shown, $about = $line -split [char]9
      [System.Management.Automation.CompletionResult]::new($value, $shown, 'ParameterValue', $about)
    })
  if ($kind -ne 'words') {
    $prefix = "$typed".Substring(0, $count)
    $files = [System.Management.Automation.CompletionCompleters]::CompleteFilename("$typed".Substring($count))
    $found += @(foreach ($file in $files) {
        if ($kind -eq 'folders' -and $file.ResultType -ne 'ProviderContainer') { continue }
        [System.Management.Automation.CompletionResult]::new(
          $prefix + $file.CompletionText, $file.ListItemText, $file.ResultType, $file.ToolTip)
      })
  }
  # Nothing at all would be files.
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
    return [`${kind} ${kind === 'program' ? first : prefix.length}`, ...lines]
  },
}

/** In single quotes, the curved ones too, two of them are one (about_Quoting_Rules). */
function quoted(word: string): string {
  return /^[\w=:./\\-]+$/.test(word) ? word : `'${word.replaceAll(/['‘’‚‛]/g, '$&$&')}'`
}
