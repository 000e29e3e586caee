# The checks that the example flakes make, by the names of their derivations.
let
  pkgs = import ./host-pkgs.nix;
  bootproof.lib.bootTest = import ../../nix/boot-test.nix {
    inherit (pkgs) closureInfo runCommand;
    bootproof = "/bootproof";
  };
  nixpkgs.lib.nixosSystem = _: {
    config.networking.hostName = "web";
    config.system.build.toplevel = pkgs.runCommand "nixos-system" { } "";
  };
  checksOf =
    flake:
    let
      self = (import flake).outputs {
        inherit self nixpkgs bootproof;
        # The host that it has is deployed; any other is new.
        deployed.nixosConfigurations.web = nixpkgs.lib.nixosSystem { };
      };
    in
    builtins.mapAttrs (_: check: {
      inherit (check) name;
      report = check.report.name;
    }) self.checks.x86_64-linux;
in
{
  one-server = checksOf ../../examples/one-server/flake.nix;
  fleet = checksOf ../../examples/fleet/flake.nix;
}
