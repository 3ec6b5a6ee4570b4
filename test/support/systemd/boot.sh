#!/bin/sh
# Boots systemd as process 1 of namespaces of its own, and touches nothing of the machine around it.
#
# usage: boot.sh SCRATCH CHECKOUT
#   SCRATCH   an empty folder; SCRATCH/units holds every unit there is, SCRATCH/etc what is laid over /etc/hyper2kvm
#   CHECKOUT  is seen as /opt/hyper2kvm
#
# Only the units of SCRATCH/units exist (SYSTEMD_UNIT_PATH, an empty /etc/systemd/system), so none of the machine's own runs a second time: systemd-tmpfiles
# would empty /tmp. /dev, /run, /opt, /var/log and /etc/hyper2kvm are private, /proc/sys is read-only, cgroups are below an own one.
set -eu
scratch=$1
checkout=$2
mount --make-rprivate /
mount -t proc proc /proc
mount --bind /proc/sys /proc/sys
mount -o remount,bind,ro /proc/sys

dev=$scratch/dev
mkdir "$dev"
mount -t tmpfs -o mode=755 tmpfs "$dev"
mkdir "$dev/pts" "$dev/shm"
for node in null zero full random urandom tty; do
  : > "$dev/$node"
  mount --bind "/dev/$node" "$dev/$node"
done
mount --bind /dev/pts "$dev/pts"
mount -t tmpfs tmpfs "$dev/shm"
ln -s pts/ptmx "$dev/ptmx"
ln -s /proc/self/fd "$dev/fd"
mount --move "$dev" /dev

mkdir "$scratch/upper" "$scratch/layer"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$scratch/upper,workdir=$scratch/layer" /etc
cp -r "$scratch/etc" /etc/hyper2kvm
mount -t tmpfs -o mode=755 tmpfs /etc/systemd/system
mount -t tmpfs tmpfs /var/log
mount -t tmpfs -o mode=755 tmpfs /opt
mkdir /opt/hyper2kvm
mount --bind "$checkout" /opt/hyper2kvm
# Last: the scratch folder may lie beneath one of them.
mount -t tmpfs -o mode=755 tmpfs /run
mkdir /run/lock /run/units
cp "$scratch"/units/* /run/units/
mount -t cgroup2 none /sys/fs/cgroup

export container=test SYSTEMD_UNIT_PATH=/etc/systemd/system:/run/systemd/system:/run/units SYSTEMD_GENERATOR_PATH=/nonexistent SYSTEMD_LOG_TARGET=console
exec /lib/systemd/systemd --system --unit=test.target --log-level=warning --show-status=no
