# One system of a scenario.toml as a NixOS module: what scenarios/lab makes of Debian's programs, made of nixpkgs'.
{ packages, system }:
{ lib, pkgs, ... }:
let
  services = system.services or [ ];
  virtualHosts = system.virtual_hosts or [ ];
  network = system.network or null;
  ports = network.firewall_tcp_ports or [ ];
  # What a scenario calls a tool is Debian's name of it.
  nixpkgsNames.nix-bin = "nix";
  bootLoader = system.boot_loader or "grub";
  platform = architecture: "${architecture}-linux";
  named = name: builtins.head (builtins.filter (service: service.name == name) services);

  # As in the lab, the page names whom it is for.
  page =
    service:
    let
      served = builtins.filter (host: host.service == service.name) virtualHosts;
      text = "${service.name} serves ${builtins.concatStringsSep " " (map (host: host.name) served)}\n";
    in
    pkgs.writeTextDir "index.html" text;

  # A backend is a program of its own platform, whatever its system's is: that is the outage's fault.
  backend = service: {
    inherit (service) name;
    value = {
      description = "Backend ${service.name}";
      wantedBy = [ "multi-user.target" ];
      after = [ "network.target" ];
      serviceConfig = {
        ExecStart = builtins.concatStringsSep " " [
          "${packages.${platform (service.arch or system.userland)}.darkhttpd}/bin/darkhttpd"
          "${page service}"
          "--addr 127.0.0.1"
          "--port ${toString service.port}"
        ];
        Restart = "on-failure";
        RestartSec = 2;
        DynamicUser = true;
      };
    };
  };

  virtualHost = host: {
    inherit (host) name;
    value = {
      listen = [
        {
          addr = "0.0.0.0";
          port = 80;
        }
      ];
      locations."/".proxyPass = "http://127.0.0.1:${toString (named host.service).port}";
    };
  };
in
{
  nixpkgs.hostPlatform = platform system.userland;
  system.stateVersion = lib.trivial.release;
  documentation.enable = false;

  boot.loader.grub = lib.mkIf (bootLoader != "systemd-boot") {
    device = if bootLoader == "grub-efi" then "nodev" else system.grub_device;
    efiSupport = bootLoader == "grub-efi";
    efiInstallAsRemovable = bootLoader == "grub-efi";
  };
  boot.loader.systemd-boot.enable = bootLoader == "systemd-boot";
  boot.kernelParams = system.kernel_params;
  boot.initrd.availableKernelModules = system.initrd_modules;
  # Where the scenario says nothing, stage 1 is what nixpkgs has by default.
  boot.initrd.systemd.enable = lib.mkIf (system.stage_1 or null == "systemd") true;
  boot.kernelPackages = lib.mkIf (
    system.kernel != system.userland
  ) packages.${platform system.kernel}.linuxPackages;
  fileSystems = {
    "/" = {
      device = "/dev/disk/by-label/${system.root_label}";
      fsType = "ext4";
    };
  }
  // (
    if system ? esp_label then
      {
        "/boot" = {
          device = "/dev/disk/by-label/${system.esp_label}";
          fsType = "vfat";
        };
      }
    else
      { }
  );

  networking.hostName = "lab";
  networking.useDHCP = false;
  networking.nftables.enable = ports != [ ];
  networking.firewall = {
    enable = ports != [ ];
    allowedTCPPorts = ports;
  };
  systemd.network = lib.mkIf (network != null) {
    enable = true;
    networks."40-lan" = {
      matchConfig.Name = network.interface;
      networkConfig = {
        LinkLocalAddressing = "no";
        IPv6AcceptRA = false;
      }
      // (if network.address == "dhcp" then { DHCP = "ipv4"; } else { Address = network.address; });
    };
    # Nothing of a scenario waits for the network.
    wait-online.enable = false;
  };

  environment.systemPackages = map (name: pkgs.${nixpkgsNames.${name} or name}) (system.tools or [ ]);
  systemd.services = builtins.listToAttrs (map backend services);
  services.nginx = {
    enable = virtualHosts != [ ];
    virtualHosts = builtins.listToAttrs (map virtualHost virtualHosts);
  };

  # Each is a system of its own, in which what it says is laid over what this one says.
  specialisation = builtins.mapAttrs (_: spec: {
    inheritParentConfig = false;
    configuration = import ./scenario-system.nix {
      inherit packages;
      system = builtins.removeAttrs system [ "specialisations" ] // spec;
    };
  }) (system.specialisations or { });

  # Who reaches the guest's network is on the host.
  services.openssh = lib.mkIf (system.ssh or false) {
    enable = true;
    settings = {
      PermitRootLogin = "yes";
      PermitEmptyPasswords = true;
    };
  };
  users.users.root.initialHashedPassword = lib.mkIf (system.ssh or false) "";
}
