of uname-m uname -m
of uname-r uname -r
text boot-id /proc/sys/kernel/random/boot_id 100
text uptime /proc/uptime 100
for path in /run/booted-system /run/current-system /nix/var/nix/profiles/system; do
    link "$path"
    for part in kernel initrd kernel-modules; do link "$path/$part"; done
done
of system-state timeout 60 systemctl is-system-running
of boot-space df -Pk "$root/boot"
