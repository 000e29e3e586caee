{
  description = "Proves a NixOS closure, and rehearses its deploy and reboots, before it is deployed";

  inputs.nixpkgs.url = "github:NixOS/nixpkgs/nixos-unstable";

  outputs =
    { self, nixpkgs }:
    let
      # QEMU of the x86 family is what a rehearsal runs, whatever the host is.
      systems = [
        "x86_64-linux"
        "aarch64-linux"
      ];
      forEachSystem = f: nixpkgs.lib.genAttrs systems (system: f nixpkgs.legacyPackages.${system});
      package = pkgs: import ./nix/package.nix { inherit pkgs self; };
      bootTest =
        pkgs:
        import ./nix/boot-test.nix {
          inherit (pkgs) closureInfo runCommand;
          bootproof = package pkgs;
        };
    in
    {
      packages = forEachSystem (pkgs: rec {
        bootproof = package pkgs;
        default = bootproof;
      });

      apps = forEachSystem (pkgs: rec {
        bootproof = {
          type = "app";
          program = nixpkgs.lib.getExe (package pkgs);
          meta.description = "Rehearses the deploy of a NixOS closure and its reboots";
        };
        default = bootproof;
      });

      # bootTest { nixosConfiguration; baseline ? null; host ? { }; … }: a check for `nix flake check`, Hydra, or any Nix CI.
      # `system` is that of the builder.
      lib.bootTest =
        {
          system ? "x86_64-linux",
          ...
        }@arguments:
        bootTest nixpkgs.legacyPackages.${system} (removeAttrs arguments [ "system" ]);

      # A regular audit of the machine, by a timer.
      nixosModules.audit = import ./nixos/audit.nix self;

      # The systems of scenarios/, from the same scenario.toml as the lab's, of nixpkgs.
      nixosConfigurations = import ./nix/scenarios.nix {
        inherit (nixpkgs.lib) nixosSystem;
        packages = nixpkgs.legacyPackages;
      };

      checks = forEachSystem (
        pkgs:
        {
          package = package pkgs;
          format = pkgs.runCommand "bootproof-format" { nativeBuildInputs = [ pkgs.nixfmt ]; } ''
            nixfmt --check ${self}/flake.nix ${self}/nix/*.nix ${self}/examples/*/flake.nix && touch "$out"
          '';
        }
        // nixpkgs.lib.optionalAttrs (pkgs.stdenv.hostPlatform.system == "x86_64-linux") (
          import ./nix/scenario-checks.nix {
            inherit (self) nixosConfigurations;
            bootTest = bootTest pkgs;
          }
        )
      );

      formatter = forEachSystem (pkgs: pkgs.nixfmt);

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = import ./nix/runtime-inputs.nix pkgs ++ [
            pkgs.cargo
            pkgs.clippy
            pkgs.rustc
            pkgs.rustfmt
          ];
        };
      });
    };
}
