{ pkgs, self }:
pkgs.rustPlatform.buildRustPackage {
  pname = "bootproof";
  version = (fromTOML (builtins.readFile ../Cargo.toml)).workspace.package.version;
  src = self;
  cargoLock.lockFile = ../Cargo.lock;
  cargoBuildFlags = [ "--package=bootproof" ];
  # The tests boot machines, or need the disk tools: `cargo xtask test` runs them.
  doCheck = false;
  nativeBuildInputs = [
    pkgs.installShellFiles
    pkgs.makeWrapper
  ];
  postInstall = ''
    for shell in bash fish zsh; do
      $out/bin/bootproof completions $shell > bootproof.$shell
      installShellCompletion --cmd bootproof --$shell bootproof.$shell
    done
    $out/bin/bootproof man man
    installManPage man/*.1
    wrapProgram $out/bin/bootproof --prefix PATH : ${pkgs.lib.makeBinPath (import ./runtime-inputs.nix pkgs)}
  '';
  meta = {
    description = "Proves a NixOS closure, and rehearses its deploy and reboots, before it is deployed";
    license = [
      pkgs.lib.licenses.mit
      pkgs.lib.licenses.asl20
    ];
    mainProgram = "bootproof";
  };
}
