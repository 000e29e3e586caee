# The files of an initial ramdisk whose init is systemd: programs and units at their store paths, as in the system, each with what it
# is a link to and what it takes to execute it.
mkdir -p "$out"/{bin,sbin,dev,proc,sys,run,tmp,etc/systemd/system,lib,sysroot}

take() { # PATH
  local directory library target
  if [ -e "$out$1" ] || [ -L "$out$1" ]; then return; fi
  mkdir -p "$out${1%/*}"
  cp -P "$1" "$out$1"
  if [ -L "$1" ]; then
    target=$(readlink "$1")
    case $target in /*) take "$target" ;; *) take "$(realpath -ms "${1%/*}/$target")" ;; esac
  elif [ "$(head -c2 "$1" | tr -d '\0')" = '#!' ]; then
    target=$(sed -n '1s/^#! *\([^ ]*\).*/\1/p' "$1")
    take "$target"
  else
    # The C library names one of the distribution's.
    target=$(patchelf --print-interpreter "$1" 2>/dev/null || true)
    case $target in /nix/store/*) take "$target" ;; esac
  fi
  for library in $(patchelf --print-needed "$1" 2>/dev/null); do
    for directory in $(patchelf --print-rpath "$1" | tr : ' '); do
      if [ -e "$directory/$library" ]; then take "$directory/$library"; break; fi
    done
  done
}

for program in $programs; do
  take "$userland/bin/$program"
  ln -s "$userland/bin/$program" "$out/bin/$program"
  ln -s "$userland/bin/$program" "$out/sbin/$program"
done
for daemon in $daemons; do take "$userland/lib/systemd/$daemon"; done
# Loaded by name, for the cancellation of threads.
take "$userland/lib/libgcc_s.so.1"
for rules in "$userland"/lib/udev/rules.d/*; do take "$rules"; done
ln -s "$userland/lib/systemd/systemd" "$out/init"
# Debian compiles these paths into systemd and udev.
ln -s "$userland/lib/systemd" "$out/lib/systemd"
ln -s "$userland/lib/udev" "$out/lib/udev"

source "$copyModules"

while read -r name target; do
  mkdir -p "$(dirname "$out/etc/systemd/system/$name")"
  ln -s "$target" "$out/etc/systemd/system/$name"
  case $target in
    /*)
      take "$target"
      # What a unit of this system's own starts.
      sed -n 's/^ExecStart=\(\/[^ ]*\).*/\1/p' "$target" | while read -r program; do
        case $program in "$userland"/*) ;; *) take "$program" ;; esac
      done
      ;;
  esac
done < "$unitsPath"
printf '[Manager]\nDefaultEnvironment=PATH=/bin:/sbin\n' > "$out/etc/systemd/system.conf"

take "$fstab"
ln -s "$fstab" "$out/etc/fstab"
cp "$release" "$out/etc/os-release"
cp "$release" "$out/etc/initrd-release"
cp -L "$accounts/passwd" "$accounts/group" "$out/etc/"
cp "$shadow" "$out/etc/shadow"
