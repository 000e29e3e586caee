# The toplevel of one system: the store path that a deploy tool copies, and everything that it refers to.
{ lib, platforms, scenario, name, system }:
let
  version = "12.lab";
  own = platforms.${system.userland};
  kernelPlatform = platforms.${system.kernel};
  services = import ./services.nix { inherit lib platforms system parts; };
  etc = import ./etc.nix { inherit lib system parts version; };

  # What a mutation can name: each part is written as if nothing had been mutated, and refers to the others as they are.
  parts = import ./mutations.nix { inherit lib scenario; mutations = system.mutations or [ ]; parts = originals; };
  originals = services.parts // {
    inherit toplevel sw install-bootloader;
    inherit (etc) etc accounts;
    inherit (own) userland nginx;
    inherit (kernelPlatform) kernel;
    kernel-modules = platforms.${system.kernel_modules or system.kernel}.kernelModules;
    units = import ./units.nix { inherit lib system parts; services = services.units; };
    # The files of stage 1, and the image that is packed of them.
    initrd = initrdFiles;
    initrd-image = lib.run "initrd-linux-${system.kernel}" { files = parts.initrd; } ./build/initrd-image.sh;
  };

  common = { userland = parts.userland; rootLabel = system.root_label; };

  # Variants of the system, each with a toplevel of its own, in which what it says is laid over what the system says, key by key.
  specialisations = builtins.mapAttrs (variant: spec: import ./toplevel.nix {
    inherit lib platforms scenario;
    name = "${name}, ${variant}";
    system = builtins.removeAttrs system [ "specialisations" ] // spec;
  }) (system.specialisations or { });
  # Nothing where there are none, so that no other toplevel is another one for them.
  entries = file: if specialisations == { } then "" else "\n${lib.withoutNewline (builtins.readFile file)}";

  initrdFiles = import ./stage-1.nix {
    inherit lib system kernelPlatform common;
    inherit (parts) userland accounts;
  };

  serial = builtins.any (param: builtins.match "console=ttyS0.*" param != null) system.kernel_params;
  # As on NixOS, the options of GRUB's installer are a file of their own.
  grubConfig = options: lib.writeText "grub-config.xml" (builtins.toXML (options // (system.grub_options or { })));
  onSerial = if serial then "echo \"serial --unit=0 --speed=115200\"; echo \"terminal_output serial\"" else "";
  installers = {
    grub = lib.guestScript "install-grub" (common // {
      grubConfig = grubConfig { devices = [ system.grub_device ]; };
      serial = onSerial;
      specialisations = entries ./guest/specialisations-grub.sh;
    }) ./guest/install-grub.sh;
    grub-efi = lib.guestScript "install-grub.sh" (common // {
      grubConfig = grubConfig {
        devices = [ "nodev" ];
        grubEfi = "${own.grubEfi}";
        grubTargetEfi = "x86_64-efi";
        efiSysMountPoint = "/boot";
        bootPath = "/boot";
        efiInstallAsRemovable = true;
      };
      inherit (own) grubEfi;
      serial = onSerial;
      specialisations = entries ./guest/specialisations-grub.sh;
    }) ./guest/install-grub-efi.sh;
    systemd-boot = lib.guestScript "install-systemd-boot.sh" (common // {
      inherit (own) systemdBoot;
      specialisations = entries ./guest/specialisations-systemd-boot.sh;
    }) ./guest/install-systemd-boot.sh;
  };
  install-bootloader = installers.${system.boot_loader or "grub"};

  sw = lib.run "system-path" { paths = [ parts.userland ] ++ map own.tool (system.tools or [ ]); } ./build/system-path.sh;

  toplevel = lib.run "nixos-system-${scenario}-${version}" (facts // variants) (
    if specialisations == { } then ./build/toplevel.sh else ./build/specialisations.sh
  );
  variants = if specialisations == { } then { } else {
    toplevelScript = ./build/toplevel.sh;
    names = builtins.attrNames specialisations;
    variants = builtins.attrValues specialisations;
  };
  facts = {
    # What the scripts know when they are written; their own toplevel (@out@) is filled in as it is built.
    stage2 = lib.guestScript "stage-2-init.sh" common ./guest/stage-2.sh;
    activate = lib.guestScript "activate" (common // {
      inherit (parts) etc accounts;
      setupEtc = "${./guest/setup-etc.pl}";
    }) ./guest/activate.sh;
    switch = lib.guestScript "switch-to-configuration" (common // {
      installBootloader = parts.install-bootloader;
    }) ./guest/switch-to-configuration.pl;

    inherit version;
    inherit (parts) etc kernel sw userland;
    initrd = parts.initrd-image;
    kernelModules = parts.kernel-modules;
    kernelSystem = kernelPlatform.system;
    kernelParams = system.kernel_params;
    kernelParamsJson = builtins.toJSON system.kernel_params;
    label = "NixOS 12.lab (${scenario}, ${name})";
    stage1 = system.stage_1 or "script";
  };
in
# The parts' store paths, for who damages one.
parts.toplevel // { parts = builtins.mapAttrs (_: toString) parts; }
