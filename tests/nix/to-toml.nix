import ../../nix/to-toml.nix {
  format_version = 1;
  hosts."a \"b\"\n.example" = {
    ssh = null;
    target.memory_mib = 2048;
    probes = [
      {
        path = "/health";
        body = ''"up": *true\n'';
        expect_status = 200;
      }
    ];
    suppressions = [ ];
  };
}
