# The systems of one scenario: an attribute set of toplevels, one for each key of [systems] in its scenario.toml. The
# arguments are absolute paths, as strings.
{ scenarioFile, name, lockFile, archives }:
let
  lib = import ./lib.nix;
  packages = builtins.fromJSON (builtins.readFile ./packages.json);
  debsOf = import ./debs.nix { inherit lockFile archives; };
  platforms = builtins.listToAttrs (map (platform: {
    name = platform;
    value = import ./platform.nix { inherit lib debsOf packages platform; };
  }) [ "x86_64" "i686" ]);

  inherit (builtins.fromTOML (builtins.readFile scenarioFile)) systems;

  # A system that is `like` another has what that one has, key by key, where it says nothing itself.
  resolve = key:
    let system = systems.${key};
    in if system ? like then resolve system.like // builtins.removeAttrs system [ "like" ] else system;
in
builtins.mapAttrs (key: _: import ./toplevel.nix { inherit lib platforms; scenario = name; name = key; system = resolve key; }) systems
