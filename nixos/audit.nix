# services.bootproof-audit: `bootproof audit --local` by a timer, with metrics for node_exporter's textfile collector.
self:
{
  config,
  lib,
  pkgs,
  ...
}:
let
  cfg = config.services.bootproof-audit;
in
{
  options.services.bootproof-audit = {
    enable = lib.mkEnableOption "a regular audit of what the next boot will start";
    package = lib.mkOption {
      type = lib.types.package;
      default = self.packages.${pkgs.stdenv.hostPlatform.system}.default;
      defaultText = lib.literalExpression "bootproof.packages.\${system}.default";
      description = "The bootproof that audits.";
    };
    interval = lib.mkOption {
      type = lib.types.str;
      default = "hourly";
      example = "*:0/15";
      description = "When to audit, as systemd.time(7) has it.";
    };
    textfileDirectory = lib.mkOption {
      type = lib.types.path;
      default = "/var/lib/prometheus-node-exporter-text-files";
      description = "Where the metrics are written, as `bootproof-audit.prom`: node_exporter's `--collector.textfile.directory`.";
    };
  };

  config = lib.mkIf cfg.enable {
    systemd.tmpfiles.rules = [ "d ${cfg.textfileDirectory} 0755 root root -" ];
    systemd.services.bootproof-audit = {
      description = "Audit of what the next boot will start";
      # What it asks of the machine comes from the running system.
      path = [
        pkgs.bash
        pkgs.coreutils
        pkgs.gnugrep
        config.systemd.package
        config.nix.package
      ];
      # The store's records are the daemon's to open: below, all of /nix is read-only.
      environment.NIX_REMOTE = "daemon";
      serviceConfig = {
        Type = "oneshot";
        ExecStart = lib.escapeShellArgs [
          (lib.getExe cfg.package)
          "audit"
          "--local"
          "--textfile"
          "${cfg.textfileDirectory}/bootproof-audit.prom"
        ];
        # A verdict is told by the metrics; a unit that fails for it would make the machine degraded, and be its own finding.
        SuccessExitStatus = [
          1
          3
        ];
        # It reads, and writes one file.
        ProtectSystem = "strict";
        ReadWritePaths = [ cfg.textfileDirectory ];
        ProtectHome = true;
        PrivateTmp = true;
        PrivateNetwork = true;
        NoNewPrivileges = true;
        Nice = 10;
        IOSchedulingClass = "idle";
      };
    };
    systemd.timers.bootproof-audit = {
      description = "Timer of the audit of what the next boot will start";
      wantedBy = [ "timers.target" ];
      timerConfig = {
        OnCalendar = cfg.interval;
        RandomizedDelaySec = "5min";
        Persistent = true;
      };
    };
  };
}
