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

  # A directory with a scenario.toml is a scenario; one without may group some.
  below = directory: builtins.attrNames (lib.filterAttrs (_: type: type == "directory") (builtins.readDir directory));
  isScenario = directory: builtins.pathExists "${directory}/scenario.toml";
  scenariosIn = directory: map (name: { inherit name; value = "${directory}/${name}/scenario.toml"; })
    (builtins.filter (name: isScenario "${directory}/${name}") (below directory));
  groups = map (name: "${scenarios}/${name}") (builtins.filter (name: !isScenario "${scenarios}/${name}") (below scenarios));
  files = builtins.listToAttrs (builtins.concatMap scenariosIn ([ scenarios ] ++ groups));

  systemsOf = name: file:
    let
      own = builtins.fromTOML (builtins.readFile file);
      base = if own ? base then (builtins.fromTOML (builtins.readFile files.${own.base})).systems else { };
      said = own.systems or { };
      merged = base // builtins.mapAttrs (key: system: (base.${key} or { }) // system) said;
      build = key: system:
        # What the scenario leaves as it is in its base is that toplevel, and not another one of the same content.
        if base ? ${key} && lib.like base key == system then built.${own.base}.${key}
        else import ./toplevel.nix { inherit lib platforms system; scenario = name; name = key; };
    in
    builtins.mapAttrs (key: _: build key (lib.like merged key)) merged;

  built = builtins.mapAttrs systemsOf files;
in
built
