# lib.bootTest: a check that rehearses the deploy of a NixOS configuration, and the reboots after it, inside a Nix build.
#
# Of nixpkgs it needs `closureInfo` and `runCommand` only, so that the tests can build it without nixpkgs.
{
  bootproof,
  closureInfo,
  runCommand,
}:
{
  # The candidate: a NixOS configuration (what `nixpkgs.lib.nixosSystem` gives), or its toplevel.
  nixosConfiguration,
  # What the machine runs now, such as the configuration of an input that is locked to the deployed revision. Without it nothing
  # is called latent.
  baseline ? null,
  name ? nixosConfiguration.config.networking.hostName or "host",
  # As `[hosts.NAME]` of bootproof.toml: expect_system, target, probes, files, suppressions. `source` of a file may be a path.
  host ? { },
  # The verdict that the check demands: "pass", "fail" or "unproven"; null takes any.
  expectVerdict ? "pass",
  # An approved report (a `.snap` file) that the run has to equal.
  approved ? null,
  # Whether only builders with KVM are asked. Without it TCG will do, which takes minutes instead of seconds.
  requireKvm ? true,
  # More arguments of `bootproof test`.
  arguments ? [ ],
}:
let
  toplevelOf = system: system.config.system.build.toplevel or system;
  candidate = toplevelOf nixosConfiguration;
  toplevels = [ candidate ] ++ (if baseline == null then [ ] else [ (toplevelOf baseline) ]);
  closure = closureInfo { rootPaths = toplevels; };

  configuration = import ./to-toml.nix {
    format_version = 1;
    hosts.${name} = host;
  };

  quoted = word: "'${builtins.replaceStrings [ "'" ] [ "'\\''" ] (toString word)}'";
  words = builtins.concatStringsSep " " (
    map quoted (
      [
        "--closure"
        closure
        "--toplevel"
        candidate
      ]
      ++ (
        if baseline == null then
          [ ]
        else
          [
            "--baseline"
            (toplevelOf baseline)
          ]
      )
      ++ [
        "--host"
        name
      ]
      ++ (
        if approved == null then
          [ ]
        else
          [
            "--approved"
            "approved.snap"
          ]
      )
      ++ arguments
    )
  );

  # Ends well whatever the verdict, so that the report of a failure is an output like any other. Trouble of the builder (exit code 2)
  # is no report, and fails: Nix does not remember it.
  report =
    runCommand "bootproof-report-${name}"
      {
        requiredSystemFeatures = if requireKvm then [ "kvm" ] else [ ];
        # A report names the closures' paths; whoever reads it need not download them. Nix before 2.17 keeps the references.
        __structuredAttrs = true;
        unsafeDiscardReferences.out = true;
      }
      ''
        export HOME="$PWD" XDG_CACHE_HOME="$PWD/cache"
        mkdir -p "$out/nix-support"
        printf %s ${quoted configuration} > bootproof.toml
        ${if approved == null then "" else "cat ${approved} > approved.snap"}
        code=0
        ${bootproof}/bin/bootproof test ${words} --run-dir "$out/run" || code=$?
        if [ "$code" = 2 ]; then exit 2; fi
        echo "$code" > "$out/exit-code"
        if [ -e approved.snap.new ]; then cp approved.snap.new "$out/"; fi
        # It ends as the rehearsal did.
        ${bootproof}/bin/bootproof report "$out/run" 2> "$out/report.txt" || true
        for form in "$out"/run/report.*; do ln -s "run/''${form##*/}" "$out/''${form##*/}"; done
        # What Hydra shows of a build.
        if [ -e "$out/report.html" ]; then echo "report bootproof $out report.html" >> "$out/nix-support/hydra-build-products"; fi
        echo "file text $out/report.txt" >> "$out/nix-support/hydra-build-products"
      '';

  exitCode = {
    pass = "0";
    fail = "1";
    unproven = "3";
  };

  check = runCommand "bootproof-${name}" { } ''
    cat ${report}/report.txt
    code=$(cat ${report}/exit-code)
    if [ "$code" != ${exitCode.${expectVerdict}} ]; then
      echo "bootproof: ${name} is not as expected (exit code $code, and ${exitCode.${expectVerdict}} is ${expectVerdict})" >&2
      echo "bootproof: the report, consoles and recording are in ${report} (the attribute \`report\` of this check)" >&2
      exit 1
    fi
    ln -s ${report} "$out"
  '';
in
(if expectVerdict == null then report else check)
// {
  inherit report;
}
