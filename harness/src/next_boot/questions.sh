of uid id -u

# The installer of the bootloader is named by a script or by a program that wraps one.
switch=/run/current-system/bin/switch-to-configuration
open installer
if [ -r "$root$switch" ]; then
    head -c 4000000 "$root$switch" 2>/dev/null </dev/null | tr -c '[:print:]' '\n'
    shut 0
else
    missing "$switch"
fi

# A bootloader's files are below /boot, or on any FAT that is mounted.
boots='/boot /efi /boot/efi'
if [ -r "$root/proc/mounts" ]; then
    while read -r _ point type _; do
        case " $boots " in *" $point "*) continue ;; esac
        if [ "$type" = vfat ]; then boots="$boots $point"; fi
    done <"$root/proc/mounts"
fi
open boots
printf '%s' "$boots"
shut 0
for boot in $boots; do
    text "text $boot/grub/grub.cfg" "$boot/grub/grub.cfg" 8000000
    text "text $boot/grub/grubenv" "$boot/grub/grubenv" 4096
    text "text $boot/loader/loader.conf" "$boot/loader/loader.conf" 100000
    for entry in "$root$boot"/loader/entries/*.conf; do
        if [ -e "$entry" ]; then text "entry ${entry#"$root"}" "${entry#"$root"}" 100000; fi
    done
    for entry in "$root$boot"/EFI/Linux/*.efi; do
        # The command line of a unified kernel image stands before its kernel.
        if [ -r "$entry" ]; then
            open "image ${entry#"$root"}"
            head -c 4000000 "$entry" 2>/dev/null </dev/null | tr -c '[:print:]' '\n' | grep -o 'init=/nix/store/[^ ]*'
            shut 0
        fi
    done
done
open firmware
if [ -d "$root/sys/firmware/efi" ]; then printf efi; else printf bios; fi
shut 0
for variable in LoaderInfo LoaderEntryOneShot LoaderEntryPreferred LoaderEntryDefault LoaderEntryLastBooted; do
    bytes "efi $variable" "/sys/firmware/efi/efivars/$variable-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f" 2000
done
