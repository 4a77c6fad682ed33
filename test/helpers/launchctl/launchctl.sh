#!/bin/sh
# Stands for launchctl: what it is asked goes to the process that stands for launchd, see launchd.ts.
call=${0%/*}/../calls/$$
mkfifo "$call.answer" || exit 1
exec 3<>"$call.answer"
if [ $# -gt 0 ]; then printf '%s\0' "$@"; fi >"$call.new"
mv "$call.new" "$call.call"
read -r code <&3
cat "$call.stdout"
cat "$call.stderr" >&2
rm -f "$call".*
exit "$code"
