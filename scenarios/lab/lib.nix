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

  # The file with each `@key@` replaced by the value of that key.
  fill = values: file:
    let keys = builtins.attrNames values;
    in builtins.replaceStrings (map (key: "@${key}@") keys) (map (key: toString values.${key}) keys) (builtins.readFile file);

  # A script of ./guest made for one system: filled in and executable.
  guestScript = name: values: file: writeScript name (fill values file);

  # Lines `NAME TARGET`: a tree of links, made by build/link-tree.sh.
  linkTree = name: links:
    let line = path: "${path} ${links.${path}}\n";
    in run name {
      links = builtins.concatStringsSep "" (map line (builtins.attrNames links));
      passAsFile = [ "links" ];
    } ./build/link-tree.sh;

  lines = builtins.concatStringsSep "\n";
  words = builtins.concatStringsSep " ";
}
