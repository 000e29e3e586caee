# The kernel image, where NixOS has it: $out/bzImage.
dpkg-deb --fsys-tarfile "$deb" | tar -x --no-same-owner --wildcards './boot/*'
mkdir "$out"
cp boot/vmlinuz-* "$out/bzImage"
cp boot/config-* "$out/config"
