#!/usr/bin/env bash
# The main job, once, by whichever Node.js is on PATH: a hub, an agent in the foreground, a service reached by name.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
temp=$(mktemp -d)
pids=()
clean_up() {
  for pid in "${pids[@]}"; do kill "$pid" 2>/dev/null || true; done
  wait
  rm -rf "$temp"
}
trap clean_up EXIT

case $(uname -s) in MINGW* | MSYS* | CYGWIN*) is_windows=yes ;; *) is_windows=no ;; esac

# home_of NAME: a home folder in the temporary one.
home_of() {
  mkdir -p "$temp/$1"
  if [ "$is_windows" = yes ]; then cygpath -w "$temp/$1"; else echo "$temp/$1"; fi
}

# connect HOME ARGUMENTS...
connect() {
  local home
  home=$(home_of "$1")
  shift
  HOME=$home USERPROFILE=$home node "$root/bin/run.js" "$@"
}

# start LOG HOME ARGUMENTS...: the same in the background, until the end.
start() {
  local log=$temp/$1 home
  home=$(home_of "$2")
  shift 2
  HOME=$home USERPROFILE=$home node "$root/bin/run.js" "$@" >"$log" 2>&1 &
  pids+=($!)
}

# printed FILE PATTERN: waits until a background command has printed it.
printed() {
  for _ in $(seq 300); do
    if grep -qE "$2" "$1"; then return; fi
    sleep 0.1
  done
  echo "[x] no /$2/ in $(basename "$1"):" >&2
  cat "$1" >&2
  exit 1
}

node --version
connect agent --help | grep -q 'USAGE'
echo '[ok] connect --help'

start hub.log hub hub --listen 127.0.0.1:0
printed "$temp/hub.log" 'listening on'
url=$(grep -oE 'http://[0-9.:]+' "$temp/hub.log")
echo "[ok] connect hub ($url)"

export PRIVATECONNECT_TOKEN
PRIVATECONNECT_TOKEN=$(connect hub hub token create)
# CI is set, and there is no terminal: without --foreground the agent would go to the background.
start up.log agent up --foreground --hub "$url" --label smoke
printed "$temp/up.log" 'Connected to hub'
echo '[ok] connect up, in the foreground'

# The hub's own port is a TCP service like any other.
connect agent expose "${url##*:}" --name web
start reach.log agent reach web --port 0
printed "$temp/reach.log" 'Connected to hub'
port=$(sed -nE 's/.* is at [^ ]+:([0-9]+).*/\1/p' "$temp/reach.log")
curl --silent --show-error --fail --max-time 30 "http://127.0.0.1:$port/healthz"
echo '[ok] connect reach: the service answers'

if [ "$is_windows" = yes ]; then
  for action in install uninstall start stop restart status logs; do
    code=0
    output=$(connect agent daemon "$action" 2>&1) || code=$?
    if [ "$code" != 1 ] || ! grep -qF 'Not currently supported (use foreground mode: connect up)' <<<"$output"; then
      echo "[x] connect daemon $action exited $code:" >&2
      echo "$output" >&2
      exit 1
    fi
  done
  echo '[ok] connect daemon says that it is not supported here'
fi
