# The systems of the regression scenarios as NixOS configurations, from the scenario.toml that the lab is built from:
# SCENARIO-SYSTEM, such as healthy-candidate. What has a base or mutations is a mutant of parts of the lab's own making, and not here.
{
  nixosSystem,
  # legacyPackages of nixpkgs: what runs on another platform than its system's is taken from there.
  packages,
  scenarios ? ../scenarios,
}:
let
  all = import ../scenarios/lab/systems.nix { inherit scenarios; };

  # Where nixpkgs no longer has a platform, a scenario of it is left out.
  isHere =
    name:
    all.${name}.base == null
    && builtins.all (system: !(system ? mutations) && packages ? "${system.userland}-linux") (
      builtins.attrValues all.${name}.systems
    );

  configuration =
    system:
    nixosSystem {
      system = null;
      modules = [ (import ./scenario-system.nix { inherit packages system; }) ];
    };

  ofScenario =
    name:
    map (key: {
      name = "${name}-${key}";
      value = configuration all.${name}.systems.${key};
    }) (builtins.attrNames all.${name}.systems);
in
builtins.listToAttrs (
  builtins.concatMap ofScenario (builtins.filter isHere (builtins.attrNames all))
)
