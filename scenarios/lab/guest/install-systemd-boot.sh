#!@userland@/bin/bash
# install-systemd-boot.sh TOPLEVEL: makes the menu of systemd-boot that of the system profile, an entry for every generation, with
# TOPLEVEL's as the default, and puts systemd-boot on the ESP where that is asked for (NIXOS_INSTALL_BOOTLOADER=1) or the one
# that is there is another. Firmware reads nothing but FAT, so that kernels and initrds are copied.
set -euo pipefail
export PATH=@userland@/bin
defaultConfig=$1
esp=/boot
profiles=/nix/var/nix/profiles
programs=@systemdBoot@/lib/systemd/boot/efi

if ! mountpoint -q "$esp"; then
    echo "$esp is not a mounted partition. Is the path configured correctly?" >&2
    exit 1
fi

# By a name that nobody reads, so that a machine that loses its power has the whole file or the old one.
put() { # FILE, from the standard input
    cat > "$1.tmp"
    sync -d "$1.tmp"
    mv "$1.tmp" "$1"
}

mkdir -p "$esp/EFI/systemd" "$esp/EFI/BOOT" "$esp/EFI/nixos" "$esp/loader/entries"
for program in "$programs"/systemd-boot*.efi; do
    name=${program##*/}
    if [ "${NIXOS_INSTALL_BOOTLOADER:-}" = 1 ] || ! cmp -s "$program" "$esp/EFI/systemd/$name"; then
        put "$esp/EFI/systemd/$name" < "$program"
        # Without a word in the firmware's variables, this is what it starts (boot.loader.efi.canTouchEfiVariables = false).
        fallback=${name#systemd-}
        put "$esp/EFI/BOOT/${fallback^^}" < "$program"
        echo "Copied \"$program\" to \"$esp/EFI/systemd/$name\"."
    fi
done

declare -A used=()
copied() { # FILE of the store: sets `copy` to its name on the ESP
    local file name
    file=$(readlink -f "$1")
    name=${file#/nix/store/}
    copy=/EFI/nixos/${name//\//-}.efi
    used[$copy]=1
    if [ ! -e "$esp$copy" ]; then put "$esp$copy" < "$file"; fi
}

entry() { # GENERATION TOPLEVEL
    local kernel initrd version
    copied "$2/kernel"; kernel=$copy
    copied "$2/initrd"; initrd=$copy
    version=$(ls "$2/kernel-modules/lib/modules")
    put "$esp/loader/entries/nixos-generation-$1.conf" <<END
title NixOS
sort-key nixos
version Generation $1 NixOS $(< "$2/nixos-version"), Linux Kernel $version, built on $(stat -c %y "$profiles/system-$1-link" | cut -d' ' -f1)
linux $kernel
initrd $initrd
options init=$2/init $(< "$2/kernel-params")
machine-id $(< /etc/machine-id)
END
    used[/loader/entries/nixos-generation-$1.conf]=1
    if [ "$2" = "$defaultConfig" ]; then default=$1; fi
}

default=
for link in "$profiles"/system-*-link; do
    number=${link##*/system-}
    toplevel=$(readlink -f "$link")
    if [ -e "$toplevel/kernel" ]; then entry "${number%-link}" "$toplevel"; fi@specialisations@
done
if [ -n "$default" ]; then
    put "$esp/loader/loader.conf" <<END
timeout 0
default nixos-generation-$default.conf
console-mode keep
END
fi

for file in "$esp"/loader/entries/nixos-generation-*.conf "$esp"/EFI/nixos/*; do
    if [ -z "${used[${file#"$esp"}]:-}" ]; then rm -f "$file"; fi
done
sync -f "$esp"
