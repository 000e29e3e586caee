# The C library and its loader in $out/lib, out of Debian's package.
dpkg-deb -x "$deb" unpacked
mkdir -p "$out"
cp -a "unpacked/lib/$triplet" "$out/lib"
chmod -R u+w "$out"

# The library itself and the loader need no search path; the others must find them beside themselves.
for file in "$out"/lib/*.so*; do
  case "${file##*/}" in libc.so.*|ld-linux*) continue ;; esac
  if [ -L "$file" ]; then continue; fi
  patchelf --set-rpath "$out/lib" "$file"
done
