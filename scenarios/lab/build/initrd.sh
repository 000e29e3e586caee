# An initial ramdisk of a static busybox, the modules that may be needed to reach the root, and the stage 1 script.
mkdir -p unpacked ramdisk/{bin,sbin,dev,proc,sys,run,etc,mnt-root}
for deb in $busybox $fsck; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked --no-same-owner
done
cp unpacked/bin/busybox ramdisk/bin/busybox
cp unpacked/sbin/e2fsck.static ramdisk/bin/e2fsck
ln -s busybox ramdisk/bin/sh
# Where the kernel looks for the program that loads modules.
ln -s ../bin/busybox ramdisk/sbin/modprobe

version=$(ls "$kernelModules/lib/modules")
tree=lib/modules/$version
mkdir -p "ramdisk/$tree"
cp "$kernelModules/$tree"/modules.{builtin,builtin.modinfo,order} "ramdisk/$tree/"
# crc32c is what ext4 asks the kernel for by the name of an algorithm, not as a dependency.
for module in $modules crc32c_generic; do
  modprobe -d "$kernelModules" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
  target=ramdisk/${file#"$kernelModules"/}
  mkdir -p "${target%/*}"
  cp "$file" "$target"
done
depmod -b ramdisk "$version"

cp "$init" ramdisk/init
chmod 755 ramdisk/init
mkdir "$out"
cd ramdisk
find . -exec touch -h -d @1 {} +
find . -print0 | sort -z | cpio -o -H newc -R +0:+0 --reproducible --null --quiet | gzip -9n > "$out/initrd"
