# One directory of a Debian package, as it is: what no program of the guest's runs.
mkdir unpacked
dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked --no-same-owner
mkdir -p "$out/${to%/*}"
cp -r "unpacked/$from" "$out/$to"
