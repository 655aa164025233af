#!/bin/sh
# Builds the emulated machine's parts into the folder $1: kernel, initrd, and root.img, a Debian 13 with systemd, sshd, ALSA and Node.js, all
# from Debian's packages. It has a GPIO chip that is called like a Pi's and a sound card that hears itself; nothing of Tutti.
#
# gpio-sim and uleds (LEDs without hardware) are in the kernel's source and not in Debian's build of it: they are compiled here, gpio-sim with the
# simulated interrupts that it needs. Their one call of a function that modules may not call has an equal that they may.
set -eu
out=$1
here=$(cd "$(dirname "$0")" && pwd)
# From where this machine has its own packages.
codename=$(. /etc/os-release && echo "$VERSION_CODENAME")
mirror=$(apt-get indextargets --format '$(REPO_URI) $(CODENAME)' 'Created-By: Packages' | awk -v of="$codename" '$2 == of { print $1; exit }')
suite=trixie
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
export DEBIAN_FRONTEND=noninteractive LC_ALL=C.UTF-8

packages=systemd,systemd-sysv,udev,kmod,dbus,iproute2,procps,openssh-server,alsa-utils,nodejs,libasound2t64,linux-image-amd64,busybox-static
unwanted="--dpkgopt=force-unsafe-io --dpkgopt=path-exclude=/usr/share/man/* --dpkgopt=path-exclude=/usr/share/doc/* --dpkgopt=path-exclude=/usr/share/locale/*"
# The kernel's own initrd takes half a minute to make, and seconds to unpack: it is not wanted.
# shellcheck disable=SC2086
INITRD=No mmdebstrap --quiet --variant=minbase --include=$packages $unwanted $suite "$work/root.tar" "$mirror"
mkdir "$work/root"
tar -C "$work/root" -xf "$work/root.tar" --exclude='./dev/*'
rm "$work/root.tar"
root=$work/root
release=$(ls "$root/lib/modules")

# ---- gpio-sim and uleds ------------------------------------------------------------------------------------------------------------------

cp -a "$root" "$work/build"
chroot "$work/build" sh -eu -c "
  apt-get -qq update
  apt-get -qq install -y --no-install-recommends linux-headers-$release make gcc libc6-dev >/dev/null
  cd /tmp && apt-get -qq download linux-source-6.12" >&2
modules=$work/build/tmp/modules
mkdir "$modules"
source=linux-source-6.12
dpkg-deb --fsys-tarfile "$work"/build/tmp/linux-source*.deb | tar -xO "./usr/src/$source.tar.xz" |
  tar -C "$work" -xJ $source/drivers/gpio/gpio-sim.c $source/kernel/irq/irq_sim.c $source/drivers/leds/uleds.c
cp "$work/$source/drivers/gpio/gpio-sim.c" "$modules/gpio-sim-main.c"
cp "$work/$source/drivers/leds/uleds.c" "$modules/"
sed 's/handle_simple_irq(irq_to_desc(\(.*\)));/generic_handle_irq(\1);/' "$work/$source/kernel/irq/irq_sim.c" >"$modules/irq_sim.c"
printf 'obj-m := gpio-sim.o uleds.o\ngpio-sim-y := gpio-sim-main.o irq_sim.o\n' >"$modules/Makefile"
chroot "$work/build" make -s -C "/lib/modules/$release/build" M=/tmp/modules modules >&2
mkdir -p "$root/lib/modules/$release/extra"
cp "$modules/gpio-sim.ko" "$modules/uleds.ko" "$root/lib/modules/$release/extra/"
chroot "$root" depmod "$release"

# ---- An initrd: what the disk needs, and a step over to it ---------------------------------------------------------------------------------

mkdir -p "$work/initrd/bin" "$work/initrd/dev" "$work/initrd/root"
cp "$root/usr/bin/busybox" "$work/initrd/bin/"
{
  echo '#!/bin/busybox sh'
  echo '/bin/busybox mount -t devtmpfs dev /dev'
  chroot "$root" modprobe -S "$release" -a --show-depends virtio_pci virtio_blk ext4 | sed -n 's/^insmod \([^ ]*\).*/\1/p' | awk '!seen[$0]++' |
    while read -r module; do
      name=$(basename "${module%.xz}")
      case $module in *.xz) xz -dc "$root$module" ;; *) cat "$root$module" ;; esac >"$work/initrd/$name"
      echo "/bin/busybox insmod /$name"
    done
  echo 'while [ ! -b /dev/vda ]; do /bin/busybox sleep 0.1; done'
  echo '/bin/busybox mount -t ext4 -o ro /dev/vda /root'
  echo 'exec /bin/busybox switch_root /root /sbin/init'
} >"$work/initrd/init"
chmod +x "$work/initrd/init"
(cd "$work/initrd" && find . | bin/busybox cpio -o -H newc | gzip -1) >"$out/initrd" 2>/dev/null

# ---- A machine ----------------------------------------------------------------------------------------------------------------------------

cp -R "$here/guest/." "$root/"
echo kitchen >"$root/etc/hostname"
printf '127.0.0.1 localhost\n127.0.1.1 kitchen\n' >"$root/etc/hosts"
printf 'LABEL=root / ext4 noatime,errors=remount-ro 0 1\nLABEL=tutti /var/lib/tutti ext4 noatime,x-systemd.device-timeout=600 0 2\n' >"$root/etc/fstab"
mkdir -p "$root/var/lib/tutti" "$root/boot/firmware" "$root/var/log/journal"
chroot "$root" useradd -m -u 1000 -s /bin/bash pi
ssh-keygen -q -t ed25519 -N '' -f "$out/key"
for home in "$root/root" "$root/home/pi"; do
  mkdir -p "$home/.ssh"
  cp "$out/key.pub" "$home/.ssh/authorized_keys"
  chmod 700 "$home/.ssh"
done
chroot "$root" chown -R pi:pi /home/pi/.ssh
chroot "$root" systemctl -q enable systemd-networkd.service test-hardware.service
# What a machine does for its keeper, and what only costs time here.
chroot "$root" systemctl -q mask apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer fstrim.timer systemd-tmpfiles-clean.timer \
  getty@tty1.service serial-getty@ttyS0.service systemd-logind.service ldconfig.service systemd-journal-catalog-update.service
touch "$root/etc/.updated" "$root/var/.updated"

cp "$root"/boot/vmlinuz-* "$out/kernel"
rm -rf "$root"/boot/initrd.img-* "$root"/var/cache/apt/*.bin "$root"/var/lib/apt/lists/*_*
truncate -s 1500M "$out/root.img"
mke2fs -q -t ext4 -L root -d "$root" -F "$out/root.img"
truncate -s 1000M "$out/data.img"
mke2fs -q -t ext4 -L tutti -F "$out/data.img"
