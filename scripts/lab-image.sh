#!/usr/bin/env bash
# Prints the folder of a Debian tree for test/lab, and makes it first where it is not there yet (about a minute, as
# root): scripts/lab-image.sh plain|polkit|container. The first two boot with systemd, the last is what a container has.
set -euo pipefail

kind=${1:?plain, polkit or container}
suite=bookworm
packages=(systemd systemd-sysv dbus dbus-user-session libpam-systemd procps)
case $kind in
  plain) ;;
  polkit) packages+=(polkitd) ;;
  container) packages=(runit s6 cron) ;;
  *)
    echo "[x] No such image: $kind" >&2
    exit 2
    ;;
esac

cache=${XDG_CACHE_HOME:-/var/cache}/private-connect-lab
# All that goes in is in this file: where it changes, another tree is made.
tree=$cache/$suite-$kind-$(sha256sum "${BASH_SOURCE[0]}" | cut -c1-12)
if [ -d "$tree" ]; then
  echo "$tree"
  exit 0
fi

mkdir -p "$cache/packages"
exec 9>"$cache/lock"
flock 9
# Another one may have made it while this one waited.
if [ -d "$tree" ]; then
  echo "$tree"
  exit 0
fi

SECONDS=0
new=$tree.new
rm -rf "$new"
log=$tree.log
echo "Making $tree (log: $log) …" >&2
bootstrap=(debootstrap --variant=minbase --cache-dir="$cache/packages"
  --include="$(IFS=,; echo "${packages[*]}")" "$suite" "$new")
export DEBIAN_FRONTEND=noninteractive
# In a mount namespace: what it mounts in the tree is gone with it, and the rm above never meets the host's /proc.
if ! unshare --mount --propagation private "${bootstrap[@]}" >"$log" 2>&1; then
  tail -n 20 "$log" "$new/debootstrap/debootstrap.log" >&2 || true
  echo "[x] Could not make $tree" >&2
  exit 1
fi

chroot "$new" useradd --create-home --uid 1000 --shell /bin/bash dev
ln -s /opt/private-connect/bin/run.js "$new/usr/local/bin/connect"
printf '127.0.0.1 localhost\n::1 localhost\n' >"$new/etc/hosts"
# Each machine has a name and an identity of its own.
rm -f "$new/etc/hostname" "$new/etc/machine-id"
# A machine must not go and look for updates while it is being tested.
mkdir -p "$new/etc/systemd/system"
for timer in apt-daily apt-daily-upgrade; do ln -sf /dev/null "$new/etc/systemd/system/$timer.timer"; done
rm -rf "$new"/var/cache/apt/* "$new"/var/lib/apt/lists/* "$new"/usr/share/{doc,locale,man}/*
mv "$new" "$tree"
echo "Made in $SECONDS s" >&2
echo "$tree"
