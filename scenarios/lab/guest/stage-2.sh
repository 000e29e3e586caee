#!@userland@/bin/bash
# Stage 2: makes a root file system that holds little but a store ready for systemd, and becomes systemd. Where systemd is stage 1
# already, that one calls it inside the new root (`prepare-root`), and goes on as the new root's systemd by itself.
systemConfig=@out@
export PATH=@userland@/bin
in_stage_1=${IN_NIXOS_SYSTEMD_STAGE1:-}

if [ -z "$in_stage_1" ]; then
    echo
    echo "<<< NixOS Stage 2 >>>"
    echo
fi

# Stage 1 has moved the special file systems here; a direct start by another boot loader has not.
mountpoint -q /proc || { mkdir -p /proc && mount -n -t proc proc /proc; }
mountpoint -q /sys || { mkdir -p /sys && mount -n -t sysfs sysfs /sys; }
mountpoint -q /dev || { mkdir -p /dev && mount -n -t devtmpfs devtmpfs /dev; }
mountpoint -q /run || { mkdir -p /run && mount -n -t tmpfs -o mode=0755 tmpfs /run; }
if [ -z "$in_stage_1" ]; then mount -n -o remount,rw /; fi

# The store is read-only to everyone but Nix.
if [ "$(stat -c %a /nix/store)" != 1775 ]; then chmod 1775 /nix/store; fi
mount --bind /nix/store /nix/store
mount -o remount,ro,bind /nix/store

mkdir -p /etc /tmp /var/log/journal /run/nixos
chmod 1777 /tmp
ln -sfn "$systemConfig" /run/booted-system

echo "running activation script..."
"$systemConfig/activate"

if [ -n "$in_stage_1" ]; then exit 0; fi
echo "starting systemd..."
exec "$systemConfig/systemd/lib/systemd/systemd" "$@"
