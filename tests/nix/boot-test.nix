# A check of lib.bootTest for two toplevels that are in the store already. All arguments are strings.
{
  bootproof,
  candidate,
  baseline,
}:
let
  pkgs = import ./host-pkgs.nix;
  bootTest = import ../../nix/boot-test.nix {
    inherit (pkgs) closureInfo runCommand;
    bootproof = pkgs.program "bootproof" (
      builtins.path {
        path = bootproof;
        name = "bootproof";
      }
    );
  };
in
bootTest {
  nixosConfiguration = pkgs.inStore candidate;
  baseline = pkgs.inStore baseline;
  name = "lab";
  # As scenarios/healthy has it.
  host = {
    expect_system = "x86_64-linux";
    target.cpu = "qemu64,-svm";
  };
  # The lab's tests run where there is none.
  requireKvm = false;
}
