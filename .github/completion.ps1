# Completion in this PowerShell: the script can be read, and answers what a person would type.
# pwsh -NoProfile -File .github/completion.ps1
$ErrorActionPreference = 'Stop'
Set-StrictMode -Version Latest
$root = Split-Path $PSScriptRoot
# Where a path has one spelling: that of Windows may be short, and macOS has a link in it.
$temp = if ($env:RUNNER_TEMP) { $env:RUNNER_TEMP } else { [IO.Path]::GetTempPath() }
$folder = Join-Path $temp "it's my $([guid]::NewGuid())"
New-Item -ItemType Directory $folder | Out-Null
$onWindows = [IO.Path]::DirectorySeparatorChar -eq '\'
if ($onWindows) { Set-Content (Join-Path $folder 'connect.cmd') "@node `"$root\bin\run.js`" %*" }
else {
  Set-Content (Join-Path $folder 'connect') "#!/bin/sh`nexec node '$root/bin/run.js' `"`$@`""
  chmod 755 (Join-Path $folder 'connect')
}
$env:PATH = $folder + [IO.Path]::PathSeparator + $env:PATH
# A home where nobody has logged in, so that no agent answers; of another instance there was a file.
$env:HOME = $folder
$env:USERPROFILE = $folder
$other = Join-Path $folder "Jos$([char]0xE9).json"
$instances = Join-Path (Join-Path $folder '.privateconnect') 'instances'
New-Item -ItemType Directory $instances | Out-Null
[IO.File]::WriteAllText($other, '{}')
[IO.File]::WriteAllText((Join-Path $instances 'other'), $other)
$work = Join-Path $folder 'work'
New-Item -ItemType Directory $work, (Join-Path $work 'one folder') | Out-Null
[IO.File]::WriteAllText((Join-Path $work 'one file.json'), '{}')
[IO.File]::WriteAllText((Join-Path $work 'two[2].json'), '{}')
Set-Location $work

$script = connect autocomplete powershell | Out-String
$errors = $null
[void][System.Management.Automation.Language.Parser]::ParseInput($script, [ref]$null, [ref]$errors)
if ($errors.Count -gt 0) { throw "The script can't be read: $($errors -join '; ')" }
# The line that is to be put into a profile.
connect autocomplete powershell | Out-String | Invoke-Expression

# As a terminal asks: of a completion that fails it takes that nothing fits.
function Expect-Completed([string]$line, [string[]]$expected, [string]$behind = '') {
  $asking = [powershell]::Create('CurrentRunspace')
  $answer = [System.Management.Automation.CommandCompletion]::CompleteInput(
    $line + $behind, $line.Length, $null, $asking)
  $found = @($answer.CompletionMatches | ForEach-Object { $_.CompletionText })
  if (($found -join '|') -cne ($expected -join '|')) {
    throw "After '$line' it offers '$($found -join '|')' in place of '$($expected -join '|')'"
  }
  Write-Output "[ok] $line -> $($found -join ' ')"
}
function Expect-Same($what, $found, $expected) {
  if ($found -cne $expected) { throw "$what is '$found' in place of '$expected'" }
  Write-Output "[ok] $what -> $found"
}
$dot = ".$([IO.Path]::DirectorySeparatorChar)"
$file = "'$($dot)one file.json'"
$below = "'$($dot)one folder'"

Expect-Completed 'connect daemon sta' 'start', 'status'
Expect-Completed 'connect daemon ' 'install', 'logs', 'restart', 'start', 'status', 'stop', 'uninstall'
Expect-Completed 'connect daemon s' 'start' 'tart --replace'
Expect-Completed 'connect daemon logs --fol' '--follow'
Expect-Completed 'connect daemon logs --level=w' '--level=warn'
Expect-Completed 'connect daemon logs --level ' 'info', 'warn', 'error'
Expect-Completed 'connect autocomplete f' 'fish'
Expect-Completed 'connect nonsense ' @()
Expect-Completed 'connect whoami one' @()
Expect-Completed '$a = connect daemon uni' 'uninstall'
Expect-Completed 'connect.cmd daemon uni' 'uninstall'

# The word is in quotes, or its beginning.
Expect-Completed "connect daemon 'sta" 'start', 'status'
Expect-Completed 'connect daemon "uni"' 'uninstall'
Expect-Completed "connect daemon $([char]0x2018)uni" 'uninstall'
Expect-Completed "connect 'daemon' uni" 'uninstall'

# Files, and the config file of another instance, in whatever code page the console is: on Windows an old one.
$encoding = [Console]::OutputEncoding
if (!$onWindows) { [Console]::OutputEncoding = [Text.Encoding]::GetEncoding('iso-8859-1') }
$quoted = "'$($other -replace "'", "''")'"
Expect-Completed 'connect daemon status --config ' $quoted, $file, $below, "'$($dot)two[2].json'"
Expect-Completed "connect daemon status --config '$($folder -replace "'", "''")$($dot[1])J" $quoted
if (!$onWindows) { [Console]::OutputEncoding = $encoding }
Expect-Completed 'connect daemon status --config one' $file, $below
Expect-Completed "connect daemon status --config 'one fi" $file
Expect-Completed 'connect daemon status --config=one' "--config=$file", "--config=$below"
Expect-Completed 'connect daemon status "--config=one fi' "--config=$file"
Expect-Completed 'connect plugins link one' $below

# The words of another program are completed as its own.
Expect-Completed 'connect reach x -- Get-ChildIte' 'Get-ChildItem'
Expect-Completed 'connect reach x -- ' @()
Expect-Completed "connect reach x -- some-program 'a b;c' one" $file, $below
Expect-Completed 'connect reach x -- connect daemon uni' 'uninstall'
Expect-Completed 'connect reach x -- connect nonsense ' @()

# A Tab leaves the session as it was, which may be strict with programs too.
$PSNativeCommandUseErrorActionPreference = $false
node -e 'process.exit(3)'
$PSNativeCommandUseErrorActionPreference = $true
Expect-Completed 'connect daemon uni' 'uninstall'
Expect-Same 'The last exit code' $LASTEXITCODE 3
Expect-Same 'What is left in the environment' (Test-Path env:CONNECT_COMPLETE) $false
$about = (TabExpansion2 'connect daemon uni' 18).CompletionMatches[0].ToolTip
Expect-Same 'What is said of uninstall' $about 'Remove daemon from system services'

# It asks the program, whatever else has its name, and nothing if there is none.
function connect { throw 'this is no program' }
Expect-Completed 'connect daemon uni' 'uninstall'
Remove-Item function:connect
$env:PATH = $env:PATH.Substring($folder.Length + 1)
if (!(Get-Command connect -ErrorAction Ignore)) { Expect-Completed 'connect daemon uni' @() }
Set-Location $root
Remove-Item -Recurse -Force $folder
Write-Output "[ok] PowerShell $($PSVersionTable.PSVersion)"
