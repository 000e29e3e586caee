# The toplevel of one system: the store path that a deploy tool copies, and everything that it refers to.
{ lib, platforms, scenario, name, system }:
let
  version = "12.lab";
  own = platforms.${system.userland};
  kernelPlatform = platforms.${system.kernel};
  services = import ./services.nix { inherit lib platforms system; };
  units = import ./units.nix { inherit lib platforms system services; };
  etc = import ./etc.nix { inherit lib platforms system units version; };

  common = { userland = own.userland; rootLabel = system.root_label; };

  initrd = lib.run "initrd-linux-${system.kernel}" {
    busybox = kernelPlatform.debs.get "busybox-static";
    fsck = kernelPlatform.debs.get "e2fsck-static";
    inherit (kernelPlatform) kernelModules;
    modules = system.initrd_modules;
    init = lib.guestScript "stage-1-init.sh" {
      inherit (common) rootLabel;
      rootType = "ext4";
      modules = lib.words system.initrd_modules;
    } ./guest/stage-1.sh;
  } ./build/initrd.sh;

  serial = builtins.any (param: builtins.match "console=ttyS0.*" param != null) system.kernel_params;
  installBootloader = lib.guestScript "install-grub" (common // {
    # As on NixOS, the installer's options are a file of their own.
    grubConfig = lib.writeText "grub-config.xml" (builtins.toXML { devices = [ system.grub_device ]; });
    serial = if serial then "echo \"serial --unit=0 --speed=115200\"; echo \"terminal_output serial\"" else "";
  }) ./guest/install-grub.sh;

  sw = lib.run "system-path" { paths = [ own.userland ] ++ map own.tool (system.tools or [ ]); } ./build/system-path.sh;
in
lib.run "nixos-system-${scenario}-${version}" {
  # What the scripts know when they are written; their own toplevel (@out@) is filled in as it is built.
  stage2 = lib.guestScript "stage-2-init.sh" common ./guest/stage-2.sh;
  activate = lib.guestScript "activate" (common // {
    inherit (etc) etc accounts;
    setupEtc = "${./guest/setup-etc.pl}";
  }) ./guest/activate.sh;
  switch = lib.guestScript "switch-to-configuration" (common // { inherit installBootloader; }) ./guest/switch-to-configuration.pl;

  inherit initrd sw version;
  inherit (etc) etc;
  inherit (own) userland;
  inherit (kernelPlatform) kernel kernelModules;
  kernelSystem = kernelPlatform.system;
  kernelParams = system.kernel_params;
  kernelParamsJson = builtins.toJSON system.kernel_params;
  label = "NixOS 12.lab (${scenario}, ${name})";
} ./build/toplevel.sh
