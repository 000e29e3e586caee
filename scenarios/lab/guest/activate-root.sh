#!@userland@/bin/bash
# Has the system prepare the new root from inside it.
export PATH=/bin
export IN_NIXOS_SYSTEMD_STAGE1=true
exec chroot /sysroot "$(readlink /nixos-closure)/prepare-root"
