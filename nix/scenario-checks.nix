# The scenarios of nixpkgs' own programs, rehearsed: evidence about NixOS, which the lab is not.
{ bootTest, nixosConfigurations }:
let
  check =
    name: expectVerdict:
    bootTest {
      inherit name expectVerdict;
      nixosConfiguration = nixosConfigurations."${name}-candidate";
      baseline = nixosConfigurations."${name}-baseline";
      host.expect_system =
        (fromTOML (builtins.readFile (../scenarios + "/${name}/scenario.toml"))).rehearsal.expect_system;
    };
in
builtins.mapAttrs check {
  healthy = "pass";
  outage-2023-08-08 = "fail";
}
