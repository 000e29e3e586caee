#!@userland@/bin/bash
# Makes the running machine's mutable state that of this system. Run by stage 2 and by switch-to-configuration.
systemConfig=@out@
export PATH=@userland@/bin
_status=0
trap '_status=1' ERR

mkdir -p /etc /bin /sbin /usr/bin /usr/lib /lib /var/empty /var/lib /root /nix/var/nix/profiles /nix/var/nix/gcroots

# The second half: Debian compiles these paths into systemd, udev, kmod and the kernel, where NixOS has patched in store
# paths. They hold no libraries: the loader never looks there. systemd re-executes itself through the first one.
echo "setting up /etc..."
@userland@/bin/perl -I@userland@/lib/perl-base @setupEtc@ @etc@/etc \
    @userland@/bin/sh /bin/sh \
    @userland@/bin/env /usr/bin/env \
    /run /var/run \
    /run/current-system /nix/var/nix/gcroots/current-system \
    /run/booted-system /nix/var/nix/gcroots/booted-system \
    @userland@/lib/systemd /lib/systemd \
    @userland@/lib/udev /lib/udev \
    /run/booted-system/kernel-modules/lib/modules /lib/modules \
    @userland@/bin/mount /bin/mount \
    @userland@/bin/umount /bin/umount \
    @userland@/bin/modprobe /sbin/modprobe \
    @userland@/bin/sulogin /sbin/sulogin \
    @userland@/bin/systemd-tty-ask-password-agent /bin/systemd-tty-ask-password-agent

# Accounts are mutable files, as on NixOS.
for name in passwd group shadow; do
    if [ ! -e /etc/$name ] || [ "$(< @accounts@/$name)" != "$(< /etc/$name)" ]; then
        cp --remove-destination "@accounts@/$name" "/etc/$name"
        chmod 0644 /etc/$name
    fi
done
chmod 0600 /etc/shadow
if [ ! -s /etc/machine-id ]; then tr -d - < /proc/sys/kernel/random/uuid > /etc/machine-id; fi

# Last, so that an activation that was cut short does not look complete.
ln -sfn "$systemConfig" /run/current-system
exit $_status
