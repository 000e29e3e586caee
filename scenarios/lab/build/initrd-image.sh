# Packs $files, as the kernel unpacks it. The kernel and busybox write beside what is there.
cp -a "$files" ramdisk
chmod -R u+w ramdisk
mkdir "$out"
cd ramdisk
find . -exec touch -h -d @1 {} +
find . -print0 | sort -z | cpio -o -H newc -R +0:+0 --reproducible --null --quiet | gzip -9n > "$out/initrd"
