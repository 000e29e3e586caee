# What a toplevel is built for. $toplevel is it.
text "system $toplevel" "$toplevel/system" 100
bytes "kernel $toplevel" "$toplevel/kernel" 33280
bytes "systemd $toplevel" "$toplevel/systemd/lib/systemd/systemd" 64
size "size-kernel $toplevel" "$toplevel/kernel"
size "size-initrd $toplevel" "$toplevel/initrd"
open "init $toplevel"
if [ -e "$root$toplevel/init" ]; then shut 0; else missing "$toplevel/init"; fi
