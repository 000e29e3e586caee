# A value as TOML on few lines: tables inline, strings as JSON writes them, which TOML reads too. What is null is left out.
let
  key = name: builtins.toJSON name;
  present = set: builtins.filter (name: set.${name} != null) (builtins.attrNames set);
  inlineTable =
    set:
    "{ ${
      builtins.concatStringsSep ", " (map (name: "${key name} = ${value set.${name}}") (present set))
    } }";
  list = items: "[ ${builtins.concatStringsSep ", " (map value items)} ]";
  value =
    v:
    {
      set = if v ? outPath then builtins.toJSON "${v}" else inlineTable v;
      list = list v;
      # A file of the flake: its store path.
      path = builtins.toJSON "${v}";
      bool = if v then "true" else "false";
    }
    .${builtins.typeOf v} or (builtins.toJSON v);
in
set: builtins.concatStringsSep "" (map (name: "${key name} = ${value set.${name}}\n") (present set))
