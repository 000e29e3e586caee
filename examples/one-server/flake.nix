# One server: `nix flake check` rehearses its deploy upon what it runs now, and the reboot.
{
  inputs = {
    nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";
    bootproof.url = "git+https://example.org/bootproof";
    # This flake, locked to the revision that is deployed: `nix flake update deployed` after each deploy.
    deployed.url = "git+https://example.org/web";
    deployed.inputs.deployed.follows = "";
  };

  outputs =
    {
      self,
      nixpkgs,
      bootproof,
      deployed,
    }:
    {
      nixosConfigurations.web = nixpkgs.lib.nixosSystem {
        modules = [ ./configuration.nix ];
      };

      checks.x86_64-linux.web = bootproof.lib.bootTest {
        nixosConfiguration = self.nixosConfigurations.web;
        baseline = deployed.nixosConfigurations.web;
        host = {
          expect_system = "x86_64-linux";
          target.memory_mib = 2048;
          probes = [ { path = "/health"; } ];
        };
      };
    };
}
