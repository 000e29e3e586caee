#!@userland@/bin/bash
# Makes the running machine's mutable state that of this system. Run by stage 2 and by switch-to-configuration.
systemConfig=@out@
export PATH=@userland@/bin
_status=0
trap '_status=1' ERR

# Accounts are mutable files, as on NixOS.
echo "setting up /etc..."
mkdir -p /etc
@userland@/bin/perl -I@userland@/lib/perl-base @setupEtc@ @etc@/etc

for name in passwd group shadow; do
    cmp -s "@accounts@/$name" "/etc/$name" || cp --remove-destination "@accounts@/$name" "/etc/$name"
done
chmod 0600 /etc/shadow
if [ ! -s /etc/machine-id ]; then tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id; fi

mkdir -p -m 0755 /bin /usr/bin /var/empty /root /var/lib /nix/var/nix/profiles /nix/var/nix/gcroots
ln -sfn @userland@/bin/sh /bin/sh
ln -sfn @userland@/bin/env /usr/bin/env
ln -sfn /run/current-system /nix/var/nix/gcroots/current-system
ln -sfn /run/booted-system /nix/var/nix/gcroots/booted-system

# Debian compiles these paths into systemd, udev, kmod and the kernel, where NixOS has patched in store paths. They
# hold no libraries: the loader never looks here. systemd re-executes itself through the first one.
mkdir -p /lib /usr/lib /sbin
ln -sfn @userland@/lib/systemd /lib/systemd
ln -sfn @userland@/lib/udev /lib/udev
ln -sfn /run/booted-system/kernel-modules/lib/modules /lib/modules
ln -sfn @userland@/bin/mount /bin/mount
ln -sfn @userland@/bin/umount /bin/umount
ln -sfn @userland@/bin/modprobe /sbin/modprobe

# Last, so that an activation that was cut short does not look complete.
ln -sfn "$systemConfig" /run/current-system
exit $_status
