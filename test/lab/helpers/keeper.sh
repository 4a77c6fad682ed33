#!/usr/bin/env bash
# Keeps one machine, in a mount namespace of its own: keeper.sh TREE NAME [OPTION OF systemd-nspawn]…
# Each line on stdin boots it; "boot N off CODE" tells that it is off again (133: it asked to be booted again).
# Its disk is in memory; mounts and processes end with this one, however it ends, so that nothing is left.
set -euo pipefail
tree=$1 name=$2
shift 2

# Not the host's: this hides the host's systemd, and what nspawn writes there.
mount -t tmpfs -o mode=755 lab-run /run
home=/run/machine
mkdir -p $home/{changes,work,disk,cgroup}
mount -t overlay -o "lowerdir=$tree,upperdir=$home/changes,workdir=$home/work" lab-disk $home/disk
tr -d - </proc/sys/kernel/random/uuid >$home/disk/etc/machine-id
mount -t cgroup2 lab-cgroup $home/cgroup

# Those of keepers that were killed.
for old in "$home"/cgroup/private-connect-lab-*; do
  if [ -d "$old" ] && ! kill -0 "${old##*-}" 2>/dev/null; then
    find "$old" -depth -type d -exec rmdir {} + 2>/dev/null || true
  fi
done
cgroup=$home/cgroup/private-connect-lab-$$
mkdir "$cgroup"

booted=
end() {
  trap - EXIT
  # Nobody may be there any more to read what bash says about it.
  exec &>/dev/null
  if [ -n "$booted" ]; then
    # With it goes all that runs in the machine: it holds the first process of a PID namespace.
    kill -KILL "$booted" || true
    wait "$booted" || true
  fi
  # Its last processes may still be on their way out.
  for _ in {1..100}; do
    find "$cgroup" -depth -type d -exec rmdir {} + && break
    sleep 0.05
  done
  exit 0
}
trap end EXIT TERM

# As on a machine of today, whatever the host has: only cgroup v2.
in_namespaces='umount --recursive --lazy /sys/fs/cgroup && mount -t cgroup2 lab-cgroup /sys/fs/cgroup && "$@"'
nspawn=(systemd-nspawn --directory="$home/disk" --machine="$name" --boot --register=no --keep-unit --console=pipe
  --resolv-conf=off --timezone=off --link-journal=no "$@")

echo "keeper ready"
boots=0
while read -r _; do
  boots=$((boots + 1))
  bash -c 'echo $$ >"$0/cgroup.procs" && exec "$@"' "$cgroup" \
    setpriv --pdeathsig KILL unshare --mount --pid --cgroup --fork --kill-child --mount-proc \
    bash -c "$in_namespaces" bash "${nspawn[@]}" </dev/null &
  booted=$!
  code=0
  wait "$booted" || code=$?
  booted=
  printf '\nboot %s off %s\n' "$boots" "$code"
done
