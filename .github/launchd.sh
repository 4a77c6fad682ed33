#!/usr/bin/env bash
# The daemon as launchd's, once, with the words that a user has from the documentation. It installs the agent of whoever
# runs it, and removes it again.
set -euo pipefail

root=$(cd "$(dirname "$0")/.." && pwd)
label=co.privateconnect.agent
plist=$HOME/Library/LaunchAgents/$label.plist
temp=$(mktemp -d)
hub_pid=
reach_pid=

if [ -e "$plist" ]; then
  echo "[x] The daemon is installed here already: $plist" >&2
  exit 1
fi

connect() {
  node "$root/bin/run.js" "$@"
}

clean_up() {
  for pid in $reach_pid $hub_pid; do kill "$pid" 2>/dev/null || true; done
  connect daemon uninstall >/dev/null 2>&1 || true
  wait
  rm -rf "$temp"
}
trap clean_up EXIT

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

# answers WHEN: the hub's own page, by way of the agent.
answers() {
  curl --silent --show-error --fail --retry 5 --retry-all-errors --max-time 30 "http://127.0.0.1:$port/healthz" >/dev/null
  echo "[ok] the service answers $1"
}

pid_of_agent() {
  connect daemon status --json | node -e 'console.log(JSON.parse(require("node:fs").readFileSync(0, "utf8")).pid)'
}

HOME=$temp node "$root/bin/run.js" hub --listen 127.0.0.1:0 >"$temp/hub.log" 2>&1 &
hub_pid=$!
printed "$temp/hub.log" 'listening on'
url=$(grep -oE 'http://[0-9.:]+' "$temp/hub.log")
PRIVATECONNECT_TOKEN=$(HOME=$temp node "$root/bin/run.js" hub token create)
export PRIVATECONNECT_TOKEN
connect login --hub "$url" --label launchd
unset PRIVATECONNECT_TOKEN

connect daemon install
if command -v plutil >/dev/null; then plutil -lint "$plist"; fi
connect expose "${url##*:}" --name web
# Not by the function: that would run in a shell of its own, which alone would be ended.
node "$root/bin/run.js" reach web --port 0 >"$temp/reach.log" 2>&1 &
reach_pid=$!
printed "$temp/reach.log" 'Connected to hub'
port=$(sed -nE 's/.* is at [^ ]+:([0-9]+).*/\1/p' "$temp/reach.log")
answers 'after install'

# The specification's Troubleshooting.
launchctl list | grep privateconnect
connect daemon logs
connect daemon logs | grep -i reconnect || echo 'no reconnection'
connect daemon stop
launchctl load "$plist"
connect daemon status --wait 30s
answers 'after launchctl load'

pid=$(pid_of_agent)
kill -9 "$pid"
for _ in $(seq 60); do
  sleep 0.5
  if [ "$(pid_of_agent)" != "$pid" ]; then break; fi
done
connect daemon status --wait 30s
answers 'after kill -9'

connect daemon restart
connect daemon status --wait 30s
answers 'after restart'

connect daemon uninstall
if launchctl print "gui/$(id -u)/$label" 2>/dev/null || launchctl print "user/$(id -u)/$label" 2>/dev/null; then
  echo '[x] launchd still has it' >&2
  exit 1
fi
if [ -e "$plist" ]; then
  echo "[x] $plist is still there" >&2
  exit 1
fi
echo '[ok] nothing is left'
