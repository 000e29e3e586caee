# Every scenario's systems: SCENARIO.SYSTEM is a toplevel, for each key of [systems] in its scenario.toml and in that of its
# base. The arguments are absolute paths, as strings.
{ scenarios, lockFile, archives }:
let
  lib = import ./lib.nix;
  packages = builtins.fromJSON (builtins.readFile ./packages.json);
  debsOf = import ./debs.nix { inherit lockFile archives; };
  platforms = builtins.listToAttrs (map (platform: {
    name = platform;
    value = import ./platform.nix { inherit lib debsOf packages platform; };
  }) [ "x86_64" "i686" ]);

  systemsOf = name: scenario:
    let
      build = key: system:
        # What the scenario leaves as it is in its base is that toplevel, and not another one of the same content.
        if scenario.isOfBase key then built.${scenario.base}.${key}
        else import ./toplevel.nix { inherit lib platforms system; scenario = name; name = key; };
    in
    builtins.mapAttrs build scenario.systems;

  built = builtins.mapAttrs systemsOf (import ./systems.nix { inherit scenarios; });
in
built
