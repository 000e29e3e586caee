# What nix/boot-test.nix needs of nixpkgs, made of the host's bash and tools, which the sandbox is given.
let
  runCommand =
    name: environment: text:
    derivation (
      {
        inherit name;
        system = builtins.currentSystem;
        builder = "/bin/bash";
        args = [
          "-c"
          ''
            set -euo pipefail
            export PATH=/usr/local/bin:/usr/bin:/usr/sbin:/bin:/sbin
            if [ -e .attrs.sh ]; then . ./.attrs.sh; export out="''${outputs[out]}"; fi
            ${text}
          ''
        ];
      }
      // environment
    );
in
{
  inherit runCommand;

  # The files that nixpkgs' closureInfo makes, in its formats.
  closureInfo =
    { rootPaths }:
    runCommand "closure-info"
      {
        __structuredAttrs = true;
        exportReferencesGraph.closure = rootPaths;
      }
      ''
        mkdir "$out"
        jq -r '.closure[] | (.path, .narHash, .narSize, "", (.references | length), .references[])' .attrs.json > "$out/registration"
        jq -r '.closure[].path' .attrs.json > "$out/store-paths"
      '';

  # A program that was built outside of Nix.
  program =
    name: file:
    runCommand name { inherit file; } ''
      mkdir -p "$out/bin"
      cp "$file" "$out/bin/${name}"
    '';

  # A path of the store as Nix sees it in expressions: what uses it, depends on it.
  inStore =
    path:
    builtins.appendContext path {
      ${path} = {
        path = true;
      };
    };
}
