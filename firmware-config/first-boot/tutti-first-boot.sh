#!/bin/sh
# Run once, as root, by the first boot of a card: installs the release that lies on the boot partition beside this file.
#
#   tutti-VERSION-linux-ARCH.tar.gz   the release for this Pi (npm run build -- --release)
#   tutti.toml                        settings of this node (may be missing)
#   tutti-join.txt                    the word init, or the line that tutti invite prints (may be missing): see systemd/tutti-join.service
#   node-VERSION-linux-ARCH.tar.xz    Node.js from nodejs.org, for a system whose own is too old (may be missing)
#
# Needs a network only where Node.js has to come from the distribution. What goes wrong is said in tutti-first-boot.log beside it.
set -eu
boot=$(cd "$(dirname "$0")" && pwd)
exec >>"$boot/tutti-first-boot.log" 2>&1
date

# One file of a pattern, the last by name; nothing where there is none.
last() { ls "$@" 2>/dev/null | sort | tail -n 1; }

node_archive=$(last "$boot"/node-v*-linux-*.tar.xz)
if [ -n "$node_archive" ] && [ ! -x /usr/local/bin/node ]; then
  mkdir -p /opt/node
  tar -xJf "$node_archive" -C /opt/node --strip-components=1
  ln -sf /opt/node/bin/node /usr/local/bin/node
fi

case $(uname -m) in
  aarch64) machine=arm64 ;;
  armv7l | armv8l) machine=armv7 ;;
  *) machine=x64 ;;
esac
release=$(last "$boot"/tutti-*-linux-$machine.tar.gz)
[ -n "$release" ] || {
  echo "there is no tutti-VERSION-linux-$machine.tar.gz on the boot partition"
  exit 1
}

mkdir -p /etc/tutti
[ ! -f "$boot/tutti.toml" ] || [ -e /etc/tutti/tutti.toml ] || cp "$boot/tutti.toml" /etc/tutti/tutti.toml
work=$(mktemp -d)
tar -xzf "$release" -C "$work" --strip-components=1
"$work/install.sh"
rm -rf "$work"

# The first person of the system, who copies music in.
person=$(getent passwd 1000 | cut -d: -f1)
[ -z "$person" ] || usermod -aG tutti "$person"

# Where cmdline.txt has called this, it does so once.
[ ! -f "$boot/cmdline.txt" ] || sed -i 's| systemd\.run=.*||' "$boot/cmdline.txt"
echo "done: tutti.service starts with the system, and tutti-join.service does what tutti-join.txt says"
