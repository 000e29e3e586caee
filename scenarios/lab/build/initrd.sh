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

version=$(ls "$kernelModules/lib/modules")
tree=lib/modules/$version
mkdir -p "$out/$tree"
cp "$kernelModules/$tree"/modules.{builtin,builtin.modinfo,order} "$out/$tree/"
# crc32c is what ext4 asks the kernel for by the name of an algorithm, not as a dependency.
for module in $modules crc32c_generic; do
  modprobe -d "$kernelModules" -S "$version" --show-depends --ignore-install "$module" 2>/dev/null || true
done | sed -n 's/^insmod \([^ ]*\).*/\1/p' | sort -u | while read -r file; do
  target=$out/${file#"$kernelModules"/}
  mkdir -p "${target%/*}"
  cp "$file" "$target"
done
depmod -b "$out" "$version"

cp "$init" "$out/init"
chmod 755 "$out/init"
