# What one architecture's packages become: its C library, and programs whose interpreter and RUNPATH are store paths.
{ lib, debsOf, packages, platform }:
let
  facts = {
    x86_64 = { debian = "amd64"; triplet = "x86_64-linux-gnu"; loader = "ld-linux-x86-64.so.2"; };
    i686 = { debian = "i386"; triplet = "i386-linux-gnu"; loader = "ld-linux.so.2"; };
  }.${platform};
  debs = debsOf facts.debian;
in
rec {
  name = platform;
  system = "${platform}-linux";
  inherit debs;

  glibc = lib.run "glibc-${platform}" { deb = debs.get "libc6"; inherit (facts) triplet; } ./build/glibc.sh;

  # Every shared library of every package; programs take from it what they need, and nothing refers to it.
  libraries = lib.run "libraries-${platform}" { debs = debs.withLibraries; inherit (facts) triplet; } ./build/libraries.sh;

  # A program of the distribution as a store path. `keep` copies directories (`FROM:TO`) beside its executables.
  program = { name, from, keep ? [ ], only ? [ ], extraLibraries ? [ ] }: lib.run "${name}-${platform}" {
    debs = map debs.get from;
    inherit keep only extraLibraries glibc libraries;
    inherit (facts) triplet loader;
  } ./build/program.sh;

  userland = program {
    name = "userland";
    from = packages.userland;
    keep = [
      "lib/systemd:lib/systemd"
      "lib/udev:lib/udev"
      "usr/lib/tmpfiles.d:lib/tmpfiles.d"
      "usr/lib/grub:lib/grub"
      "usr/lib/${facts.triplet}/perl-base:lib/perl-base"
    ];
    # Loaded by name at run time, for the cancellation of threads.
    extraLibraries = [ "libgcc_s.so.1" ];
  };

  nginx = program { name = "nginx"; from = [ "nginx" "nginx-common" ]; keep = [ "etc/nginx:conf" ]; };
  httpd = program { name = "mini-httpd"; from = [ "mini-httpd" ]; only = [ "mini_httpd" ]; };
  dropbear = program { name = "dropbear"; from = [ "dropbear-bin" ]; only = [ "dropbear" ]; };
  tool = name: program { inherit name; from = [ name ]; };

  # What the installers of bootloaders for UEFI put on the ESP.
  extracted = name: deb: from: to: lib.run "${name}-${platform}" { inherit from to; deb = debs.get deb; } ./build/extract.sh;
  systemdBoot = extracted "systemd-boot" "systemd-boot-efi" "usr/lib/systemd/boot/efi" "lib/systemd/boot/efi";
  grubEfi = extracted "grub-efi" "grub-efi-amd64-bin" "usr/lib/grub/x86_64-efi" "lib/grub/x86_64-efi";

  kernel = lib.run "linux-${platform}" { deb = debs.kernelImage; } ./build/kernel.sh;
  kernelModules = lib.run "kernel-modules-${platform}" {
    deb = debs.kernelImage;
    list = ./kernel-modules.txt;
  } ./build/kernel-modules.sh;
}
