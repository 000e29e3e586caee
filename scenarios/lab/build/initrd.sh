# The files of an initial ramdisk: a static busybox, the modules that may be needed to reach the root, and the stage 1 script.
mkdir -p unpacked "$out"/{bin,sbin,dev,proc,sys,run,etc,mnt-root}
for deb in $busybox $fsck; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked --no-same-owner
done
cp unpacked/bin/busybox "$out/bin/busybox"
cp unpacked/sbin/e2fsck.static "$out/bin/e2fsck"
ln -s busybox "$out/bin/sh"
# Where the kernel looks for the program that loads modules.
ln -s ../bin/busybox "$out/sbin/modprobe"

source "$copyModules"

cp "$init" "$out/init"
chmod 755 "$out/init"
