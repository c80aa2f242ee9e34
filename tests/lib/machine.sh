#!/bin/bash
# machine.sh - this machine once more, beside itself: systemd as first process, files over the real ones
# SPDX-License-Identifier: GPL-2.0-or-later
#
# Usage: unshare --mount --pid --fork --uts --ipc --net --cgroup bash machine.sh FOLDER PREPARE...
# What is written stays in memory and is gone at the end.  PREPARE runs first, as a command to which the
# folder of the new root is given.  systemd then starts its journal and nothing else: of the real machine's
# units those that would touch the kernel, the clock or the devices are masked.
set -eu

folder=$1
shift
mount -t tmpfs tmpfs "$folder"
mkdir "$folder/upper" "$folder/work" "$folder/root"
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/upper,workdir=$folder/work" "$folder/root"
root=$folder/root
mount -t proc proc "$root/proc"
mount --rbind /sys "$root/sys"
mount --rbind /dev "$root/dev"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
for unit in systemd-sysctl systemd-modules-load systemd-binfmt systemd-udevd systemd-udev-trigger \
	systemd-tmpfiles-setup-dev kmod-static-nodes systemd-remount-fs systemd-timesyncd systemd-networkd \
	systemd-update-utmp systemd-random-seed systemd-pstore; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit.service"
done
for unit in proc-sys-fs-binfmt_misc.automount proc-sys-fs-binfmt_misc.mount dev-hugepages.mount dev-mqueue.mount \
	sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount tmp.mount \
	systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-journald-audit.socket; do
	ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
printf '[Unit]\nDescription=Nothing but the basis\nRequires=sysinit.target\nAfter=sysinit.target\nAllowIsolate=yes\n' \
	> "$root/etc/systemd/system/alone.target"
"$@" "$root"
# not chroot: units have views of the files of their own, which begin at the root of the name space
mkdir "$root/run/before"
cd "$root"
pivot_root . run/before
exec env -i container=bmd-test PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin \
	chroot . sh -c 'umount -l /run/before && rmdir /run/before && exec /lib/systemd/systemd --system --unit=alone.target' \
	< /dev/null
