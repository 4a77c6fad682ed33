#!/usr/bin/env bash
# Installs what test/lab needs, and what checks plists and manual pages in npm test, on Debian as root, where it is missing.
set -euo pipefail

packages=(postgresql redis-server redis-tools openssh-server openssh-client tmux fish runit s6
  nginx-light haproxy caddy squid openssl zsh libplist-utils libxml2-utils
  systemd-container debootstrap debian-archive-keyring iproute2 strace git rsync
  man-db groff-base mandoc)

is_installed() {
  [ "$(dpkg-query --show --showformat='${db:Status-Status}' "$1" 2>/dev/null)" = installed ]
}

make_images() {
  [ "$(id -u)" -eq 0 ] || return 0
  local kind
  for kind in plain polkit container; do bash "$(dirname "${BASH_SOURCE[0]}")/lab-image.sh" "$kind"; done
}

missing=()
for package in "${packages[@]}"; do
  is_installed "$package" || missing+=("$package")
done
if [ ${#missing[@]} -eq 0 ]; then
  echo "Lab packages: all installed"
  make_images
  exit 0
fi
if [ "$(id -u)" -ne 0 ]; then
  echo "[x] Missing: ${missing[*]}. Run as root: scripts/lab-setup.sh" >&2
  exit 1
fi

# Tests run servers of their own, so the packages must not start theirs (see invoke-rc.d(8)).
policy=/usr/sbin/policy-rc.d
if [ ! -e "$policy" ]; then
  trap 'rm -f "$policy"' EXIT
  printf '#!/bin/sh\nexit 101\n' >"$policy"
  chmod 755 "$policy"
fi

export DEBIAN_FRONTEND=noninteractive
apt_get=(apt-get --quiet --yes -o Dpkg::Use-Pty=0 -o DPkg::Lock::Timeout=300 -o Acquire::Retries=3)
"${apt_get[@]}" update
"${apt_get[@]}" install --no-install-recommends "${missing[@]}"
echo "Lab packages: installed ${missing[*]}"
make_images
