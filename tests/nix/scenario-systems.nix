# The scenarios' NixOS configurations, with as much of nixpkgs as their modules use: names of packages stand for packages.
let
  packagesOf = platform: {
    darkhttpd = "/${platform}/darkhttpd";
    linuxPackages = "/${platform}/linuxPackages";
  };
  packages = {
    x86_64-linux = packagesOf "x86_64-linux";
    i686-linux = packagesOf "i686-linux";
  };
  lib = {
    mkIf = condition: value: if condition then value else null;
    trivial.release = "26.05";
  };
  pkgs = {
    curl = "/curl";
    nix = "/nix";
    writeTextDir = name: text: "/page";
  };
  nixosSystem = { modules, ... }: map (module: module { inherit lib pkgs; }) modules;
in
builtins.mapAttrs (_: builtins.head) (
  import ../../nix/scenarios.nix { inherit nixosSystem packages; }
)
