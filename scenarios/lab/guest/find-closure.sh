#!@userland@/bin/bash
# Which system this boot is of: the directory of the file that the parameter `init=` names in the new root. One without
# `prepare-root` is none that stage 1 can activate: then whatever the parameter names becomes the new root's first process.
export PATH=/bin
init=
for word in $(< /proc/cmdline); do
    case $word in init=*) init=${word#init=} ;; esac
done
if [ -z "$init" ]; then
    echo "No init= parameter on the kernel command line" >&2
    exit 1
fi
closure=${init%/*}
ln -s "$closure" /nixos-closure
if [ -x "/sysroot$closure/prepare-root" ]; then
    echo "NEW_INIT=" > /etc/switch-root.conf
else
    echo "NEW_INIT=$init" > /etc/switch-root.conf
    echo "$closure does not look like a NixOS installation - not activating"
fi
