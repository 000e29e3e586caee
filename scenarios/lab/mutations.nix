# The parts of a toplevel, with the mutations of its system made to copies of them. Whatever refers to a part refers to
# the mutated copy, and Nix hashes and registers it as what it is: but for `damage`, nothing is edited after it was built.
{ lib, scenario, parts, mutations }:
let
  # What each change needs beside the path, in the order in which build/mutate.sh takes it.
  changes = {
    remove = [ ];
    rename = [ "to" ];
    write = [ "text" ];
    append = [ "text" ];
    replace = [ "from" "to" ];
    mode = [ "mode" ];
    link = [ "target" ];
    truncate = [ "bytes" ];
    patch = [ "function" "code" ];
  };

  known = builtins.attrNames parts;
  strangers = builtins.filter (mutation: !(builtins.elem mutation.part known)) mutations;

  # A mutation's text may name a part's store path, `@userland@`, or that of the part itself, `@out@`.
  paths = result // { out = builtins.placeholder "out"; };
  step = mutation:
    let word = key: lib.quoted (lib.fillText paths (toString mutation.${key}));
    in
    # The lab's builder does it when all is built; the copy must be this scenario's own.
    if mutation.do == "damage" then "# damaged in ${scenario}"
    else lib.words ([ mutation.do (lib.quoted (mutation.path or "")) ] ++ map word changes.${mutation.do});

  mutate = name: original:
    let own = builtins.filter (mutation: mutation.part == name) mutations;
    in
    if own == [ ] then original
    else lib.run original.name {
      inherit original;
      patchFunction = ./build/patch-function.pl;
      steps = lib.lines (map step own) + "\n";
      passAsFile = [ "steps" ];
    } ./build/mutate.sh;

  result = builtins.mapAttrs mutate parts;
in
if strangers == [ ] then result
else throw "no part is called ${(builtins.head strangers).part}; the parts are ${lib.words known}"
