# All shared libraries of $debs, flat in $out, as Debian ships them.
mkdir "$out" unpacked
for deb in $debs; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked --no-same-owner
done
for directory in "lib/$triplet" "usr/lib/$triplet" usr/lib/nix; do
  find "unpacked/$directory" -maxdepth 2 -name '*.so*' \( -type f -o -type l \) -print0 |
    xargs -0 cp -a --no-preserve=ownership -t "$out"
done
