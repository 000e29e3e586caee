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
      # What bootproof starts as processes of their own.
      runtimeInputs = pkgs: [
        pkgs.qemu
        pkgs.e2fsprogs
        pkgs.dosfstools
        pkgs.util-linux
      ];
    in
    {
      packages = forEachSystem (pkgs: {
        default = pkgs.rustPlatform.buildRustPackage {
          pname = "bootproof";
          version = (fromTOML (builtins.readFile ./Cargo.toml)).workspace.package.version;
          src = self;
          cargoLock.lockFile = ./Cargo.lock;
          cargoBuildFlags = [ "--package=bootproof" ];
          # The tests boot machines, or need the disk tools: `cargo xtask test` runs them.
          doCheck = false;
          nativeBuildInputs = [ pkgs.makeWrapper ];
          postInstall = ''
            wrapProgram $out/bin/bootproof --prefix PATH : ${pkgs.lib.makeBinPath (runtimeInputs pkgs)}
          '';
          meta.mainProgram = "bootproof";
        };
      });

      # A regular audit of the machine, by a timer.
      nixosModules.audit = import ./nixos/audit.nix self;

      devShells = forEachSystem (pkgs: {
        default = pkgs.mkShell {
          packages = runtimeInputs pkgs ++ [
            pkgs.cargo
            pkgs.clippy
            pkgs.rustc
            pkgs.rustfmt
          ];
        };
      });
    };
}
