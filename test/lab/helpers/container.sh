#!/usr/bin/env bash
# Becomes the first process of a container, in namespaces of its own: container.sh TREE FOLDER USER COMMAND…
# Its disk is FOLDER on top of TREE; the command is that user's. It has the host's network, Node.js and npm, and the
# checkout as it was installed.
set -euo pipefail
tree=$1 folder=$2 user=$3
shift 3
disk=$folder/disk
mkdir -p "$folder"/{changes,work,disk}
mount -t overlay -o "lowerdir=$tree,upperdir=$folder/changes,workdir=$folder/work" lab-container "$disk"

# bind FROM TO: read-only
bind() {
  if [ -d "$1" ]; then mkdir -p "$disk$2"; else install -D /dev/null "$disk$2"; fi
  mount --bind "$1" "$disk$2"
  mount -o remount,bind,ro "$disk$2"
}
bind "$CONTAINER_NODE" /usr/local/bin/node
bind "$CONTAINER_NPM" /usr/local/lib/node_modules/npm
bind "$CONTAINER_CHECKOUT" /opt/private-connect
ln -sf ../lib/node_modules/npm/bin/npm-cli.js "$disk/usr/local/bin/npm"
mount -t proc proc "$disk/proc"
mount --rbind /dev "$disk/dev"
mount -t tmpfs tmpfs "$disk/run"

cd "$disk"
mkdir -p host
pivot_root . host
umount --lazy /host
home=$(getent passwd "$user" | cut -d: -f6)
exec setpriv --pdeathsig KILL --reuid="$user" --regid="$user" --init-groups env -i HOME="$home" \
  PATH=/usr/local/bin:/usr/bin:/bin sh -c 'cd && exec "$@"' sh "$@"
