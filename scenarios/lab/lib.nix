# The few builders that everything else is made of. There is no stdenv here: a builder is the host's bash with the
# host's tools, seen through the sandbox's /bin, /usr, /lib and /lib64.
rec {
  # Runs a script of ./build (or any script) with `env` in its environment; it must make $out.
  run = name: env: script: derivation ({
    inherit name;
    system = builtins.currentSystem;
    builder = "/bin/bash";
    args = [ "-euo" "pipefail" script ];
    PATH = "/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin";
    LC_ALL = "C";
  } // env);

  writeText = name: text: run name { inherit text; passAsFile = [ "text" ]; } ./build/write-text.sh;

  writeScript = name: text: run name { inherit text; executable = "1"; passAsFile = [ "text" ]; } ./build/write-text.sh;

  # The text with each `@key@` in it replaced by the value of that key. Only the values that it names are looked at.
  fillText = values: text:
    let
      named = builtins.filter (key: builtins.replaceStrings [ "@${key}@" ] [ "" ] text != text) (builtins.attrNames values);
    in builtins.replaceStrings (map (key: "@${key}@") named) (map (key: toString values.${key}) named) text;

  fill = values: file: fillText values (builtins.readFile file);

  # A script of ./guest made for one system: filled in and executable.
  guestScript = name: values: file: writeScript name (fill values file);

  # Lines `NAME TARGET`: a tree of links, made by build/link-tree.sh.
  linkTree = name: links:
    let line = path: "${path} ${links.${path}}\n";
    in run name {
      links = builtins.concatStringsSep "" (map line (builtins.attrNames links));
      passAsFile = [ "links" ];
    } ./build/link-tree.sh;

  # A system that is `like` another has what that one has, key by key, where it says nothing itself.
  like = systems: key:
    let system = systems.${key};
    in if system ? like then like systems system.like // builtins.removeAttrs system [ "like" ] else system;

  filterAttrs = keep: set: builtins.listToAttrs (
    map (name: { inherit name; value = set.${name}; }) (builtins.filter (name: keep name set.${name}) (builtins.attrNames set))
  );

  # A word that the shell takes as it is.
  quoted = word: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString word)}'";

  # A text of a file, to stand amid another.
  withoutNewline = text: builtins.substring 0 (builtins.stringLength text - 1) text;

  lines = builtins.concatStringsSep "\n";
  words = builtins.concatStringsSep " ";
}
