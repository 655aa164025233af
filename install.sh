#!/bin/sh
# Installs Tutti on this machine, or takes it off again. For Debian 12 and 13 and for Raspberry Pi OS.
#
#   sudo ./install.sh               from an unpacked release, or from a checkout; again for an upgrade
#   sudo ./install.sh --uninstall   takes it off; music, settings and the node's memory stay
#
# From a release nothing is fetched where Node.js is there already. It can be run as often as one likes, and does the same.
set -eu

NODE_MIN_MAJOR=20
NODE_MIN_MINOR=19
LIB=/usr/local/lib
OPT=/opt/tutti
DATA=/var/lib/tutti

say() { printf 'tutti: %s\n' "$*" >&2; }
fail() {
  say "$*"
  exit 1
}

usage() {
  cat <<'TEXT'
Usage: sudo ./install.sh [OPTION]...
  --onoff       let the daemon write to /sys, which gpio.driver = "onoff" and an LED with a name need
  --no-start    do not start the node now; it starts at the next boot
  --uninstall   take Tutti off; music, settings and the node's memory stay
  --help        show this
TEXT
}

onoff=no
start=yes
uninstall=no
for option in "$@"; do
  case $option in
    --onoff) onoff=yes ;;
    --no-start) start=no ;;
    --uninstall) uninstall=yes ;;
    --help)
      usage
      exit 0
      ;;
    *)
      usage >&2
      exit 2
      ;;
  esac
done

[ "$(id -u)" = 0 ] || fail "has to be run as the superuser: sudo ./install.sh"
command -v systemctl >/dev/null || fail "needs systemd, which this machine does not have"
here=$(cd "$(dirname "$0")" && pwd)

# In an image that is being built, or a chroot, nothing can be started.
runs_systemd() { [ -d /run/systemd/system ]; }
is_pi() { grep -qs 'Raspberry Pi' /proc/device-tree/model; }

# ---- What goes where: source in the release, and place on this machine ----------------------------------------------------------------

system_files() {
  cat <<TEXT
systemd/tutti.service $LIB/systemd/system/tutti.service
systemd/tutti-join.service $LIB/systemd/system/tutti-join.service
systemd/sysusers.d/tutti.conf $LIB/sysusers.d/tutti.conf
systemd/tmpfiles.d/tutti.conf $LIB/tmpfiles.d/tutti.conf
systemd/journald.conf.d/tutti.conf $LIB/systemd/journald.conf.d/tutti.conf
TEXT
}
ONOFF_DROPIN=/etc/systemd/system/tutti.service.d/onoff.conf
WATCHDOG=$LIB/systemd/system.conf.d/tutti-watchdog.conf
UDEV_RULES=/etc/udev/rules.d/60-tutti.rules

# Releases lie beside $OPT, which is a link to one of them. A folder with this file in it is one that nobody needs: it was replaced, or its
# installation was cut short.
SPENT=.spent
remove_spent() {
  for mark in "$OPT"-*/$SPENT; do
    [ -e "$mark" ] || continue
    spent=$(dirname "$mark")
    # The mark last: what a power cut leaves is found again.
    find "$spent" -mindepth 1 -maxdepth 1 ! -name $SPENT -exec rm -rf {} +
    rm -rf "$spent"
  done
}
spend_present() {
  if [ -d "$OPT" ]; then touch "$OPT/$SPENT"; fi
}

place() {
  mkdir -p "$(dirname "$2")"
  install -m 0644 "$here/$1" "$2"
}

# ---- Taking it off --------------------------------------------------------------------------------------------------------------------

if [ "$uninstall" = yes ]; then
  if runs_systemd; then
    systemctl disable --now tutti.service tutti-join.service 2>/dev/null || true
  else
    systemctl disable tutti.service tutti-join.service 2>/dev/null || true
  fi
  system_files | while read -r _ to; do rm -f "$to"; done
  rm -f "$ONOFF_DROPIN" "$WATCHDOG" "$UDEV_RULES" /usr/local/bin/tutti
  rmdir /etc/systemd/system/tutti.service.d 2>/dev/null || true
  spend_present
  rm -rf "$OPT"
  remove_spent
  if runs_systemd; then systemctl daemon-reload; fi
  say "is off this machine. Music and the node's memory stay in $DATA, settings in /etc/tutti."
  say "To be rid of those too: rm -r $DATA /etc/tutti; userdel tutti"
  exit 0
fi

# ---- Node.js, from the distribution ---------------------------------------------------------------------------------------------------

# True for a version that is new enough, such as v20.19.2 or 20.19.2+dfsg-1.
is_new_enough() {
  version=${1#v}
  major=${version%%.*}
  rest=${version#*.}
  minor=${rest%%.*}
  case $major$minor in *[!0-9]* | '') return 1 ;; esac
  [ "$major" -gt $NODE_MIN_MAJOR ] || { [ "$major" -eq $NODE_MIN_MAJOR ] && [ "$minor" -ge $NODE_MIN_MINOR ]; }
}

# The first Node.js that will do. What lies in a home directory is hidden from the service.
find_node() {
  for candidate in /usr/bin/node /usr/local/bin/node "$(command -v node 2>/dev/null || true)"; do
    [ -x "$candidate" ] || continue
    case $(readlink -f "$candidate") in /home/* | /root/*) continue ;; esac
    if is_new_enough "$("$candidate" --version 2>/dev/null)"; then
      printf '%s\n' "$candidate"
      return 0
    fi
  done
  return 1
}

offered_node() { apt-cache policy nodejs 2>/dev/null | sed -n 's/^ *Candidate: *//p'; }

if ! node=$(find_node); then
  offered=$(offered_node)
  if is_new_enough "${offered:-none}"; then
    say "installs the distribution's Node.js $offered"
    DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends nodejs >&2 || fail "apt-get could not install nodejs"
    node=$(find_node) || fail "the Node.js that apt-get installed is not new enough"
  else
    say "needs Node.js $NODE_MIN_MAJOR.$NODE_MIN_MINOR or newer; here is $(node --version 2>/dev/null || echo none), and apt offers ${offered:-none}."
    say "Debian 13, and Raspberry Pi OS of 2025 and later, have it: apt-get update && apt-get install nodejs"
    say "On Debian 12: upgrade to 13, or take Node.js 22 or 24 from a source that you trust (nodejs.org, NodeSource), so that node is in"
    say "/usr/bin or /usr/local/bin. Then run this again."
    exit 3
  fi
fi

# ---- The release: this folder, or made of this checkout ---------------------------------------------------------------------------------

case $(uname -m) in
  aarch64) machine=arm64 ;;
  armv7l | armv8l) machine=armv7 ;;
  x86_64) machine=x64 ;;
  *) fail "is made for arm64, armv7 and x64; this machine is $(uname -m)" ;;
esac
# A 64-bit kernel may carry a 32-bit system: what counts is Node.js.
case $("$node" -p process.arch) in
  arm) machine=armv7 ;;
  arm64) machine=arm64 ;;
  x64) machine=x64 ;;
esac

if [ ! -f "$here/RELEASE" ]; then
  say "this is a checkout: builds a release for $machine first"
  builder=${SUDO_USER:-root}
  (cd "$here" && runuser -u "$builder" -- npm run --silent build -- --release "$machine") >&2 || fail "the build failed"
  work=$(mktemp -d)
  trap 'rm -rf "$work"' EXIT
  tar -xzf "$here"/dist/release/tutti-*-linux-"$machine".tar.gz -C "$work" --strip-components=1
  here=$work
fi
read -r version made_for <"$here/RELEASE"
[ "$made_for" = "linux-$machine" ] || fail "this release is for $made_for, and this machine is linux-$machine"

if ! ldconfig -p | grep -q 'libasound\.so\.2'; then
  say "alsa-lib is missing: without it a node is silent. Tries to install it."
  apt-get install -y --no-install-recommends libasound2t64 >&2 2>/dev/null || apt-get install -y --no-install-recommends libasound2 >&2 ||
    say "goes on without: apt-get install libasound2 (libasound2t64 on Debian 13) brings it"
fi

# ---- The program ------------------------------------------------------------------------------------------------------------------------

# Beside the one before, and in its place by one rename: a power cut leaves the one or the other.
new=$(mktemp -d "$OPT-$version-XXXXXX")
touch "$new/$SPENT"
chmod 0755 "$new"
cp -R "$here/." "$new/"
chown -R root:root "$new"
ln -s "$node" "$new/bin/node"
sync -f "$new"
spend_present
ln -sfn "$new" "$OPT.new"
mv -T "$OPT.new" "$OPT"
rm "$new/$SPENT"
mkdir -p /usr/local/bin
ln -sfn "$OPT/bin/tutti" /usr/local/bin/tutti

# ---- The service ------------------------------------------------------------------------------------------------------------------------

system_files | while read -r from to; do place "$from" "$to"; done
if [ "$onoff" = yes ]; then place systemd/tutti.service.d/onoff.conf "$ONOFF_DROPIN"; fi
if is_pi; then place systemd/system.conf.d/tutti-watchdog.conf "$WATCHDOG"; fi
systemd-sysusers "$LIB/sysusers.d/tutti.conf"
# Behind the group that they name: udevd reads what is new whenever it likes, leaves out what names nobody, and does not read it a second time.
[ ! -f "$here/firmware-config/60-tutti.rules" ] || place firmware-config/60-tutti.rules "$UDEV_RULES"
systemd-tmpfiles --create "$LIB/tmpfiles.d/tutti.conf"
mkdir -p /etc/tutti
if [ ! -e /etc/tutti/tutti.toml ]; then
  cat >/etc/tutti/tutti.toml <<'TEXT'
# Settings of this node. Every key is optional; /opt/tutti/docs/configuration.md has them all.
# After a change: sudo systemctl restart tutti
TEXT
fi
if [ -n "${SUDO_USER:-}" ] && [ "$SUDO_USER" != root ]; then
  usermod -aG tutti "$SUDO_USER"
  say "$SUDO_USER may copy music into $DATA/inbox, from the next login on"
fi
boot=/boot/firmware
if is_pi && [ -d $boot ] && [ -f "$here/firmware-config/tutti.txt" ]; then
  [ -e $boot/tutti.txt ] || cp "$here/firmware-config/tutti.txt" $boot/tutti.txt
  grep -qs '^include tutti.txt' $boot/config.txt ||
    say "for a sound HAT and buttons: choose in $boot/tutti.txt, write 'include tutti.txt' into $boot/config.txt, and restart"
fi

systemctl enable tutti.service tutti-join.service >/dev/null 2>&1
if runs_systemd; then
  systemctl daemon-reload
  systemctl try-restart systemd-journald.service || true
  if command -v udevadm >/dev/null; then
    udevadm control --reload || true
    # For what is there already. Once in a while udevd says that it is done and has not applied what it has just read: it is asked again.
    for _ in 1 2 3; do
      udevadm trigger --action=add --subsystem-match=gpio --subsystem-match=leds --settle || true
      [ -n "$(find /dev -maxdepth 1 -name 'gpiochip*' ! -group gpio)" ] || break
      sleep 1
    done
  fi
  if [ "$start" = yes ]; then
    systemctl restart tutti.service || fail "the node does not start: journalctl -u tutti says why"
  fi
else
  say "systemd does not run here: the node starts at the next boot"
fi
remove_spent

say "$version is installed. Settings: /etc/tutti/tutti.toml; state: systemctl status tutti; log: journalctl -u tutti"
say "What the doctor says of this machine:"
# As the service will be: its user, without a log-in, and the limits of its unit where this user may give them.
limits="prlimit --rtprio=50 --memlock=67108864"
$limits true 2>/dev/null || limits=
$limits setpriv --reuid tutti --regid tutti --init-groups "$OPT/bin/tutti" doctor || say "the doctor has found something, see above; 'tutti doctor' says it again"
