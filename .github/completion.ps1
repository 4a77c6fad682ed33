# Completion in this PowerShell: the script can be read, and answers what a person would type.
# pwsh -NoProfile -File .github/completion.ps1
$ErrorActionPreference = 'Stop'
$root = Split-Path $PSScriptRoot
$folder = Join-Path ([IO.Path]::GetTempPath()) "it's my $([guid]::NewGuid())"
New-Item -ItemType Directory $folder | Out-Null
$onWindows = [IO.Path]::DirectorySeparatorChar -eq '\'
if ($onWindows) { Set-Content (Join-Path $folder 'connect.cmd') "@node `"$root\bin\run.js`" %*" }
else {
  Set-Content (Join-Path $folder 'connect') "#!/bin/sh`nexec node '$root/bin/run.js' `"`$@`""
  chmod 755 (Join-Path $folder 'connect')
}
$env:PATH = $folder + [IO.Path]::PathSeparator + $env:PATH
# A home where nobody has logged in, so that no agent answers.
$env:HOME = $folder
$env:USERPROFILE = $folder
Set-Location $folder
Set-Content 'one file.json' '{}'

$script = connect autocomplete powershell | Out-String
$errors = $null
[void][System.Management.Automation.Language.Parser]::ParseInput($script, [ref]$null, [ref]$errors)
if ($errors.Count -gt 0) { throw "The script can't be read: $($errors -join '; ')" }
Invoke-Expression $script

function Expect-Completed([string]$line, [string[]]$expected) {
  $found = @((TabExpansion2 -inputScript $line -cursorColumn $line.Length).CompletionMatches |
      ForEach-Object { $_.CompletionText } | Where-Object { $_ -ne '' })
  if (($found -join '|') -ne ($expected -join '|')) {
    throw "After '$line' it offers '$($found -join '|')' in place of '$($expected -join '|')'"
  }
  Write-Output "[ok] $line -> $($found -join ' ')"
}

Expect-Completed 'connect daemon sta' 'start', 'status'
Expect-Completed 'connect daemon logs --fol' '--follow'
Expect-Completed 'connect daemon logs --level=w' '--level=warn'
Expect-Completed 'connect daemon logs --level ' 'info', 'warn', 'error'
Expect-Completed 'connect autocomplete f' 'fish'
Expect-Completed 'connect nonsense ' @()
Expect-Completed 'connect reach x -- Get-ChildIte' 'Get-ChildItem'
$dot = ".$([IO.Path]::DirectorySeparatorChar)"
Expect-Completed 'connect daemon status --config one' "'$($dot)one file.json'"
Write-Output "[ok] PowerShell $($PSVersionTable.PSVersion)"
