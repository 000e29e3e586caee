# The files of a system's initial ramdisk. `stage_1` of a system says who is its init: a script, as by default up to NixOS 25.11, or
# systemd, as from 26.05.
{ lib, system, kernelPlatform, userland, accounts, common }:
let
  modules = {
    inherit (kernelPlatform) kernelModules;
    modules = system.initrd_modules;
    copyModules = ./build/initrd-modules.sh;
  };
  byScript = lib.run "initrd-files-${system.kernel}" (modules // {
    busybox = kernelPlatform.debs.get "busybox-static";
    fsck = kernelPlatform.debs.get "e2fsck-static";
    init = lib.guestScript "stage-1-init.sh" {
      inherit (common) rootLabel;
      rootType = "ext4";
      modules = lib.words system.initrd_modules;
    } ./guest/stage-1.sh;
  }) ./build/initrd.sh;

  units = import ./stage-1-units.nix { inherit lib userland; };
  bySystemd = lib.run "initrd-files-${system.kernel}" (modules // {
    inherit userland accounts;
    units = builtins.concatStringsSep "" (map (name: "${name} ${units.${name}}\n") (builtins.attrNames units));
    passAsFile = [ "units" ];
    fstab = lib.writeText "initrd-fstab" "/dev/disk/by-label/${common.rootLabel} /sysroot ext4 x-initrd.mount,rw 0 1\n";
    release = lib.writeText "initrd-release" ''
      ID=nixos
      NAME=NixOS
      PRETTY_NAME="NixOS (lab, from Debian's packages) (Initrd)"
    '';
    shadow = lib.writeText "shadow" "root:*:::::::\n";
    programs = [
      "bash" "sh" "cat" "chroot" "dirname" "e2fsck" "echo" "fsck" "fsck.ext4" "journalctl" "kmod" "ln" "mkdir" "modprobe" "mount"
      "mountpoint" "readlink" "rm" "sleep" "sulogin" "systemctl" "systemd-tmpfiles" "udevadm" "umount"
    ];
    daemons = [
      "systemd" "systemd-fsck" "systemd-journald" "systemd-modules-load" "systemd-shutdown" "systemd-sulogin-shell" "systemd-sysctl"
      "systemd-sysroot-fstab-check" "systemd-udevd" "system-generators/systemd-debug-generator"
      "system-generators/systemd-fstab-generator"
    ];
  }) ./build/initrd-systemd.sh;
in
{ script = byScript; systemd = bySystemd; }.${system.stage_1 or "script"}
