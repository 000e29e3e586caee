# What each scenario.toml says of its systems: SCENARIO.systems.SYSTEM, for each key of [systems] in it and in that of its base, with
# what it has from its base and from the system that it is like. The flake makes NixOS configurations of the same.
{ scenarios }:
let
  lib = import ./lib.nix;

  # A directory with a scenario.toml is a scenario; one without may group some.
  below = directory: builtins.attrNames (lib.filterAttrs (_: type: type == "directory") (builtins.readDir directory));
  isScenario = directory: builtins.pathExists (directory + "/scenario.toml");
  scenariosIn = directory: map (name: { inherit name; value = directory + "/${name}/scenario.toml"; })
    (builtins.filter (name: isScenario (directory + "/${name}")) (below directory));
  groups = map (name: scenarios + "/${name}") (builtins.filter (name: !isScenario (scenarios + "/${name}")) (below scenarios));
  files = builtins.listToAttrs (builtins.concatMap scenariosIn ([ scenarios ] ++ groups));

  read = name: file:
    let
      own = builtins.fromTOML (builtins.readFile file);
      under = if own ? base then (builtins.fromTOML (builtins.readFile files.${own.base})).systems else { };
      merged = under // builtins.mapAttrs (key: system: (under.${key} or { }) // system) (own.systems or { });
    in
    rec {
      base = own.base or null;
      systems = builtins.mapAttrs (key: _: lib.like merged key) merged;
      # Whether the scenario leaves a system as it is in its base.
      isOfBase = key: under ? ${key} && lib.like under key == systems.${key};
    };
in
builtins.mapAttrs read files
