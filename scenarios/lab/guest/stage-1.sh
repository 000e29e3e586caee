#!/bin/sh
# Stage 1: finds the root file system by its label, mounts it at /mnt-root and hands over to the toplevel's stage 2.
# Where NixOS's scripted stage 1 waits, prompts or gives up, this does the same.
busybox=/bin/busybox
targetRoot=/mnt-root
stage2Init=/init
shellOnFail=
panicOnFail=
export PATH=/bin:/sbin

main() {
    $busybox --install -s /bin
    mount -t proc proc /proc
    mount -t sysfs sysfs /sys
    mount -t devtmpfs -o mode=0755 devtmpfs /dev
    mount -t tmpfs -o mode=0755 tmpfs /run
    mkdir -p /dev/pts /dev/shm
    mount -t devpts devpts /dev/pts
    mount -t tmpfs -o mode=1777 tmpfs /dev/shm
    exec < /dev/console > /dev/console 2>&1

    echo
    echo "<<< NixOS Stage 1 >>>"
    echo
    read_command_line
    load_modules
    wait_for_device
    check_file_system
    mount_root
    hand_over
}

read_command_line() {
    for option in $(cat /proc/cmdline); do
        case $option in
            init=*) stage2Init=${option#init=} ;;
            boot.shell_on_fail) shellOnFail=1 ;;
            boot.panic_on_fail|stage1panic=1) panicOnFail=1 ;;
        esac
    done
}

load_modules() {
    for module in @modules@; do
        echo "loading module $module..."
        modprobe -q "$module" || true
    done
}

# The device appears when its driver has found it; nobody makes /dev/disk/by-label here but this loop.
wait_for_device() {
    device=/dev/disk/by-label/@rootLabel@
    tries=0
    while ! found=$(findfs LABEL=@rootLabel@ 2>/dev/null); do
        if [ $tries = 0 ]; then echo -n "waiting for device $device to appear..."; fi
        tries=$((tries + 1))
        if [ $tries -gt 200 ]; then
            echo
            echo "Timed out waiting for device $device, trying to mount anyway."
            break
        fi
        sleep 0.1
    done
    if [ -n "$found" ]; then
        mkdir -p /dev/disk/by-label
        ln -sf "$found" "$device"
    fi
}

check_file_system() {
    [ -e "$device" ] || return
    echo "checking $device..."
    e2fsck -p "$device"
    result=$?
    if [ $((result | 2)) = "$result" ]; then
        echo "fsck finished, rebooting..."
        sleep 3
        reboot -f
    fi
    if [ $((result | 4)) = "$result" ]; then
        echo "$device has unrepaired errors, please fix them manually."
        fail
    fi
}

mount_root() {
    echo "mounting $device on /..."
    mount -t @rootType@ -o rw "$device" $targetRoot || fail
}

hand_over() {
    if [ ! -e "$targetRoot$stage2Init" ] && [ ! -L "$targetRoot$stage2Init" ]; then
        echo "stage 2 init script ($targetRoot$stage2Init) not found"
        fail
    fi
    mkdir -m 0755 -p $targetRoot/proc $targetRoot/sys $targetRoot/dev $targetRoot/run
    mount --move /proc $targetRoot/proc
    mount --move /sys $targetRoot/sys
    mount --move /dev $targetRoot/dev
    mount --move /run $targetRoot/run
    exec env -i switch_root $targetRoot "$stage2Init"
    fail
}

# A machine that cannot find its root waits for a human for ever, unless its command line says otherwise.
fail() {
    if [ -n "$panicOnFail" ]; then exit 1; fi
    while true; do
        echo
        echo "An error occurred in stage 1 of the boot process, which must mount the"
        echo "root filesystem on \`$targetRoot' and then start stage 2. Keys:"
        if [ -n "$shellOnFail" ]; then echo "  i) to launch an interactive shell"; fi
        echo "  r) to reboot immediately"
        echo "  *) to ignore the error and continue"
        read -r -n 1 reply
        case $reply in
            i) if [ -n "$shellOnFail" ]; then setsid sh -c "exec sh < /dev/console > /dev/console 2>&1"; fi ;;
            r) reboot -f ;;
            *) return ;;
        esac
    done
}

main
