    for variant in "$toplevel"/specialisation/*; do
        if [ ! -e "$variant/kernel" ]; then continue; fi
        name=${variant##*/}
        variant=$(readlink -f "$variant")
        copied "$variant/kernel"; kernel=$copy
        copied "$variant/initrd"; initrd=$copy
        conf=/loader/entries/nixos-generation-${number%-link}-specialisation-$name.conf
        put "$esp$conf" <<END
title NixOS ($name)
sort-key nixos
version Generation ${number%-link} NixOS $(< "$variant/nixos-version"), Linux Kernel $(ls "$variant/kernel-modules/lib/modules"), built on $(stat -c %y "$link" | cut -d' ' -f1)
linux $kernel
initrd $initrd
options init=$variant/init $(< "$variant/kernel-params")
machine-id $(< /etc/machine-id)
END
        used[$conf]=1
    done
