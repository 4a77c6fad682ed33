#!/bin/sh
# Stands for launchctl: what it is asked goes to the process that stands for launchd, see launchd.ts.
call=${0%/*}/../calls/$$
[ -p "$call.answer" ] || mkfifo "$call.answer" || exit 1
exec 3<>"$call.answer"
if [ $# -gt 0 ]; then printf '%s\0' "$@"; fi >"$call.new"
mv "$call.new" "$call.call"
read -r code <&3
if [ -s "$call.stdout" ]; then cat "$call.stdout"; fi
if [ -s "$call.stderr" ]; then cat "$call.stderr" >&2; fi
exit "$code"
