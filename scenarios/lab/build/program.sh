# Debian packages as one store path: executables in $out/bin, the directories of $keep, and in $out/lib the libraries they
# need. Every ELF file gets the store's loader and search path, every script the store's shell: nothing resolves
# through /lib, which the guest does not have.
mkdir unpacked
for deb in $debs; do
  dpkg-deb --fsys-tarfile "$deb" | tar -x -C unpacked --no-same-owner
done
mkdir -p "$out/bin" "$out/lib"

# In this order, since sbin has links to programs of the same name in bin.
for directory in usr/sbin sbin usr/bin bin; do
  if [ -d "unpacked/$directory" ]; then cp -a --remove-destination "unpacked/$directory/." "$out/bin/"; fi
done
for pair in $keep; do
  if [ -e "unpacked/${pair%%:*}" ]; then
    mkdir -p "$out/${pair##*:}"
    cp -a "unpacked/${pair%%:*}/." "$out/${pair##*:}/"
  fi
done
chmod -R u+w "$out"
if [ -n "$only" ]; then
  for file in "$out"/bin/*; do
    case " $only " in *" ${file##*/} "*) ;; *) rm "$file" ;; esac
  done
fi
find "$out" -name '*.md' -delete

# Links of the distribution point at absolute paths, or through /etc/alternatives: kept where the target is in bin.
find "$out/bin" -type l | while read -r link; do
  target=$(readlink "$link")
  rm "$link"
  if [ -e "$out/bin/${target##*/}" ]; then ln -s "${target##*/}" "$link"; fi
done
find "$out/lib" -type l | while read -r link; do
  target=$(readlink "$link")
  case $target in
    /bin/*|/sbin/*|/usr/bin/*|/usr/sbin/*) ln -sfn "$out/bin/${target##*/}" "$link" ;;
  esac
  [ -e "$link" ] || rm "$link"
done
if [ -e "$out/bin/bash" ]; then ln -sf bash "$out/bin/sh"; fi
if [ -e "$out/bin/gawk" ]; then ln -sf gawk "$out/bin/awk"; fi

is_dynamic() { # grub's modules are ELF too, but relocatable: type 1
  local type
  type=$(od -An -tx1 -N18 "$1" | tr -d ' \n')
  [ "${type:0:8}" = 7f454c46 ] && [ "${type:32:4}" != 0100 ]
}

# The directory of each library that is not at the top of lib (libsystemd-shared) is searched as well.
for library in $extraLibraries; do cp -L "$libraries/$library" "$out/lib/$library"; done
declare -A done=()
progress=1
while [ "$progress" = 1 ]; do
  progress=0
  while read -r file; do
    if [ -n "${done[$file]:-}" ]; then continue; fi
    done[$file]=1
    is_dynamic "$file" || continue
    needed=$(patchelf --print-needed "$file" 2>/dev/null) || continue
    for library in $needed; do
      if [ -e "$glibc/lib/$library" ] || [ -e "$out/lib/$library" ]; then continue; fi
      if [ ! -e "$libraries/$library" ]; then echo "$file needs $library, which no package has" >&2; exit 1; fi
      cp -L "$libraries/$library" "$out/lib/$library"
      progress=1
    done
    chmod u+w "$file"
    if patchelf --print-interpreter "$file" >/dev/null 2>&1; then patchelf --set-interpreter "$glibc/lib/$loader" "$file"; fi
    patchelf --set-rpath "$glibc/lib:$out/lib" "$file"
  done < <(find "$out" -type f -size +0)
done

# Scripts and units name programs by the distribution's paths.
find "$out/bin" "$out/lib" -type f | while read -r file; do
  case "$(head -c2 "$file" | tr -d '\0')" in '#!') ;; *) continue ;; esac
  sed -i -e "1s,^#! */bin/sh,#!$out/bin/sh," -e "1s,^#! */bin/bash,#!$out/bin/bash," -e "1s,^#! *\(/usr\)\?/bin/perl,#!$out/bin/perl -I$out/lib/perl-base," "$file"
done
if [ -d "$out/lib/systemd" ]; then
  # NixOS keeps upstream's units where systemd does not search: a system lists the ones that it wants.
  mkdir -p "$out/example/systemd"
  mv "$out/lib/systemd/system" "$out/example/systemd/system"
  find "$out/example" -type l ! -exec test -e {} \; -delete
  find "$out/example" "$out/lib/udev/rules.d" -type f -exec sed -i -E -e "/^ExecStartPre=.*plymouth/d" \
    -e "s,(^|=[-@:+!]+|[^a-zA-Z0-9/._-])(/usr)?/lib/systemd/,\1$out/lib/systemd/,g" -e "s,(^|=[-@:+!]+|[^a-zA-Z0-9/._-])(/usr)?/s?bin/([a-z]),\1$out/bin/\3,g" \
    -e "s,^(Exec[A-Za-z]+=[-@:+!]*)([a-z]),\1$out/bin/\2," {} +
  mkdir "$out/lib/systemd/system"
  # Of the generators, fstab's and the debugging shell's: the others look for hardware that the guest lacks.
  find "$out/lib/systemd/system-generators" ! -type d ! -name systemd-fstab-generator ! -name systemd-debug-generator -delete
  find "$out/lib/udev/rules.d" -type f ! -name '50-udev-default*' ! -name '60-block*' ! -name '60-persistent-storage.rules' \
    ! -name '60-serial*' ! -name '75-net-description*' ! -name '80-drivers*' ! -name '80-net-setup-link*' ! -name '99-systemd*' -delete
  rm -f "$out"/lib/tmpfiles.d/{debian,home,x11,provision}.conf
  rm -rf "$out/lib/systemd/user" "$out/lib/systemd/user-generators" "$out/lib/systemd/user-preset" "$out/lib/systemd/catalog" \
    "$out/lib/udev/hwdb.d" "$out/lib/systemd/system-preset" "$out/lib/systemd/system-sleep" "$out/lib/systemd/network"/80-*
fi
chmod -R a-w "$out"
