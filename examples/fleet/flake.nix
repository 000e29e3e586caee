# A fleet: one check a host, which Hydra, remote builders or any Nix CI schedule, distribute and cache.
{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    bootproof.url = "git+https://example.org/bootproof";
    # This flake, locked to the revision that is deployed.
    deployed.url = "git+https://example.org/fleet";
    deployed.inputs.deployed.follows = "";
  };

  outputs =
    {
      self,
      nixpkgs,
      bootproof,
      deployed,
    }:
    let
      hosts = {
        web = {
          expect_system = "x86_64-linux";
          target.memory_mib = 2048;
          probes = [ { url = "https://www.example.org/health"; } ];
        };
        db = {
          expect_system = "x86_64-linux";
          target.disk_bus = "nvme";
        };
        # A 32-bit machine, and meant to be one.
        router = {
          expect_system = "i686-linux";
          target.system = "i686-linux";
        };
      };
      system = name: nixpkgs.lib.nixosSystem { modules = [ (./hosts + "/${name}.nix") ]; };
    in
    {
      nixosConfigurations = builtins.mapAttrs (name: _: system name) hosts;

      checks.x86_64-linux = builtins.mapAttrs (
        name: host:
        bootproof.lib.bootTest {
          inherit name host;
          nixosConfiguration = self.nixosConfigurations.${name};
          # A host that is new has nothing to be switched from.
          baseline = deployed.nixosConfigurations.${name} or null;
        }
      ) hosts;
    };
}
