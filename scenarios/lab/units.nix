# /etc/systemd/system of one system: the units of upstream that it wants, its own, and the links that pull them in.
{ lib, system, parts, services }:
let
  network = system.network or null;
  firewall = network != null && network ? firewall_tcp_ports;

  upstream = [
    "basic.target" "sysinit.target" "multi-user.target" "rescue.target" "rescue.service" "emergency.target"
    "emergency.service" "sockets.target" "timers.target" "paths.target" "slices.target" "local-fs.target"
    "local-fs-pre.target" "remote-fs.target" "remote-fs-pre.target" "swap.target" "network.target" "network-pre.target"
    "network-online.target" "nss-lookup.target" "nss-user-lookup.target" "time-sync.target" "time-set.target"
    "shutdown.target" "umount.target" "final.target" "reboot.target" "poweroff.target" "halt.target" "exit.target"
    "systemd-reboot.service" "systemd-poweroff.service" "systemd-halt.service" "user.slice"
    "systemd-journald.service" "systemd-journald.socket" "systemd-journald-dev-log.socket"
    "systemd-journal-flush.service" "systemd-udevd.service" "systemd-udevd-control.socket"
    "systemd-udevd-kernel.socket" "systemd-udev-trigger.service" "systemd-tmpfiles-setup.service"
    "systemd-tmpfiles-setup-dev.service" "systemd-sysctl.service" "systemd-modules-load.service"
    "systemd-remount-fs.service" "systemd-random-seed.service" "systemd-networkd.service" "systemd-networkd.socket"
  ];

  wants = {
    "sysinit.target" = [
      "systemd-journald.service" "systemd-journal-flush.service" "systemd-udevd.service" "systemd-udev-trigger.service"
      "systemd-tmpfiles-setup.service" "systemd-tmpfiles-setup-dev.service" "systemd-sysctl.service"
      "systemd-modules-load.service" "systemd-random-seed.service" "local-fs.target" "swap.target"
    ];
    "sockets.target" = [
      "systemd-journald.socket" "systemd-journald-dev-log.socket" "systemd-udevd-control.socket" "systemd-udevd-kernel.socket"
    ];
    "multi-user.target" = builtins.attrNames services ++ (if network == null then [ ] else [ "systemd-networkd.service" ]);
  } // (if firewall then { "basic.target" = [ "nftables.service" ]; } else { });

  # What NixOS says about upstream's units at a switch: these serve while everything else is restarted.
  overrides = {
    "systemd-journald.service" = "X-StopIfChanged=false";
    "systemd-udevd.service" = "X-StopIfChanged=false";
    "systemd-networkd.service" = "X-StopIfChanged=false";
    "systemd-journal-flush.service" = "X-RestartIfChanged=false";
    "systemd-random-seed.service" = "X-RestartIfChanged=false";
    "systemd-remount-fs.service" = "X-RestartIfChanged=false";
    "systemd-tmpfiles-setup.service" = "X-RestartIfChanged=false";
    "systemd-tmpfiles-setup-dev.service" = "X-RestartIfChanged=false";
    "systemd-udev-trigger.service" = "X-RestartIfChanged=false";
  };

  ruleset = lib.writeText "nftables-rules" ''
    flush ruleset
    table inet nixos-fw {
      chain input {
        type filter hook input priority filter; policy drop;
        iifname "lo" accept
        ct state { established, related } accept
        tcp dport { ${builtins.concatStringsSep ", " (map toString network.firewall_tcp_ports)} } accept
      }
    }
  '';

  firewallUnit = {
    "nftables.service" = ''
      [Unit]
      Description=nftables firewall
      Before=network-pre.target
      Wants=network-pre.target
      DefaultDependencies=no
      After=systemd-modules-load.service local-fs.target
      Conflicts=shutdown.target

      [Service]
      ExecStart=${parts.userland}/bin/nft -f ${ruleset}
      ExecReload=${parts.userland}/bin/nft -f ${ruleset}
      RemainAfterExit=true
      Type=oneshot
    '';
  };

  prefixed = prefix: names: make: map (name: { name = "${prefix}${name}"; value = make name; }) names;
  ownUnits = services // (if firewall then firewallUnit else { });
  links = builtins.listToAttrs (
    prefixed "" upstream (name: "${parts.userland}/example/systemd/system/${name}")
    ++ prefixed "" (builtins.attrNames ownUnits) (name: lib.writeText "unit-${name}" ownUnits.${name})
    ++ builtins.concatMap (target: prefixed "${target}.wants/" wants.${target} (name: "../${name}")) (builtins.attrNames wants)
    ++ map (name: {
      name = "${name}.d/overrides.conf";
      value = lib.writeText "overrides.conf" "[Unit]\n${overrides.${name}}\n";
    }) (builtins.attrNames overrides)
    ++ [
      { name = "default.target"; value = "multi-user.target"; }
      { name = "ctrl-alt-del.target"; value = "reboot.target"; }
    ]
  );
in
lib.linkTree "system-units" links
