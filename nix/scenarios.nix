# The systems of the regression scenarios as NixOS configurations, from the scenario.toml that the lab is built from:
# SCENARIO-SYSTEM, such as healthy-candidate. Scenarios with mutations have parts of the lab's own making: they are not here.
{
  nixosSystem,
  # legacyPackages of nixpkgs: what runs on another platform than its system's is taken from there.
  packages,
  scenarios ? ../scenarios,
}:
let
  all = builtins.mapAttrs (_: scenario: scenario.systems) (
    import ../scenarios/lab/systems.nix { inherit scenarios; }
  );

  isMutated = system: system ? mutations || system ? kernel_modules || system ? grub_options;
  isHere =
    name:
    builtins.all (system: !(isMutated system) && packages ? "${system.userland}-linux") (
      builtins.attrValues all.${name}
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
      value = configuration all.${name}.${key};
    }) (builtins.attrNames all.${name});
in
builtins.listToAttrs (
  builtins.concatMap ofScenario (builtins.filter isHere (builtins.attrNames all))
)
