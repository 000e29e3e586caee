# The names that the flake offers, with a nixpkgs of names only.
let
  pkgs = system: {
    stdenv.hostPlatform = { inherit system; };
    inherit system;
  };
  genAttrs =
    names: f:
    builtins.listToAttrs (
      map (name: {
        inherit name;
        value = f name;
      }) names
    );
  nixpkgs = {
    legacyPackages = genAttrs [ "x86_64-linux" "i686-linux" "aarch64-linux" ] pkgs;
    lib = {
      inherit genAttrs;
      getExe = _: "/bootproof/bin/bootproof";
      optionalAttrs = condition: set: if condition then set else { };
      nixosSystem = configuration: configuration;
    };
  };
  self = (import ../../flake.nix).outputs { inherit self nixpkgs; } // {
    outPath = toString ../..;
  };
  names = builtins.attrNames;
  here = "x86_64-linux";
in
{
  packages = names self.packages.${here};
  apps = names self.apps.${here};
  checks = names self.checks.${here};
  devShells = names self.devShells.${here};
  nixosModules = names self.nixosModules;
  lib = names self.lib;
  program = self.apps.${here}.default.program;
}
