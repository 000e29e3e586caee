# /etc/systemd/system of a ramdisk whose init is systemd: the units of upstream that lead to the root and into it, and those
# with which NixOS finds, activates and enters the system. Links by name; what a unit needs is copied with it (build/initrd-systemd.sh).
{ lib, userland }:
let
  upstream = [
    "basic.target" "sysinit.target" "local-fs.target" "local-fs-pre.target" "paths.target" "slices.target" "sockets.target"
    "swap.target" "timers.target" "shutdown.target" "umount.target" "final.target" "reboot.target" "poweroff.target" "halt.target"
    "systemd-reboot.service" "systemd-poweroff.service" "systemd-halt.service" "emergency.target" "emergency.service"
    "rescue.target" "rescue.service" "multi-user.target"
    "initrd.target" "initrd-fs.target" "initrd-root-device.target" "initrd-root-fs.target" "initrd-switch-root.target"
    "initrd-cleanup.service" "initrd-parse-etc.service" "initrd-switch-root.service" "initrd-udevadm-cleanup-db.service"
    "kmod-static-nodes.service" "modprobe@.service" "systemd-fsck@.service" "systemd-modules-load.service" "systemd-sysctl.service"
    "systemd-tmpfiles-setup-dev.service" "systemd-journald.service" "systemd-journald.socket" "systemd-journald-dev-log.socket"
    "systemd-udevd.service" "systemd-udevd-control.socket" "systemd-udevd-kernel.socket" "systemd-udev-trigger.service"
  ];

  wants = {
    "sysinit.target" = [
      "kmod-static-nodes.service" "systemd-journald.service" "systemd-modules-load.service" "systemd-sysctl.service"
      "systemd-tmpfiles-setup-dev.service" "systemd-udevd.service" "systemd-udev-trigger.service" "local-fs.target" "swap.target"
    ];
    "sockets.target" = [
      "systemd-journald.socket" "systemd-journald-dev-log.socket" "systemd-udevd-control.socket" "systemd-udevd-kernel.socket"
    ];
    "emergency.target" = [ "panic-on-fail.service" ];
  };
  requires = {
    "initrd.target" = [ "initrd-find-nixos-closure.service" ];
    "initrd-fs.target" = [ "sysroot-run.mount" ];
    "initrd-switch-root.service" = [ "initrd-nixos-activation.service" ];
  };

  script = name: file: lib.guestScript name { inherit userland; } file;
  own = {
    "initrd-find-nixos-closure.service" = ''
      [Unit]
      Description=Find NixOS closure
      DefaultDependencies=no
      RequiresMountsFor=/sysroot/nix/store
      Before=initrd.target shutdown.target
      Conflicts=shutdown.target

      [Service]
      Type=oneshot
      RemainAfterExit=yes
      ExecStart=${script "initrd-find-nixos-closure" ./guest/find-closure.sh}
    '';
    # What stage 1 notes in /run, such as which system was booted, is there afterwards.
    "sysroot-run.mount" = ''
      [Unit]
      DefaultDependencies=no
      Before=initrd-fs.target

      [Mount]
      What=/run
      Where=/sysroot/run
      Options=bind
    '';
    "initrd-nixos-activation.service" = ''
      [Unit]
      Description=NixOS Activation
      DefaultDependencies=no
      AssertPathExists=/etc/initrd-release
      RequiresMountsFor=/sysroot/run
      After=initrd-switch-root.target
      Before=initrd-switch-root.service

      [Service]
      Type=oneshot
      ExecStart=${script "initrd-nixos-activation" ./guest/activate-root.sh}
    '';
    "panic-on-fail.service" = ''
      [Unit]
      DefaultDependencies=no
      ConditionKernelCommandLine=|boot.panic_on_fail
      ConditionKernelCommandLine=|stage1panic

      [Service]
      Type=oneshot
      ExecStart=${userland}/bin/echo c
      StandardOutput=file:/proc/sysrq-trigger
    '';
  };
  # Without a name systemd goes on as the new root's systemd, wherever that is.
  switchRoot = ''
    [Service]
    EnvironmentFile=-/etc/switch-root.conf
    ExecStart=
    ExecStart=${userland}/bin/systemctl --no-block switch-root /sysroot "''${NEW_INIT}"
  '';

  named = prefix: names: target: map (name: { name = "${prefix}${name}"; value = target name; }) names;
  pulled = kind: units: builtins.concatMap (unit: named "${unit}.${kind}/" units.${unit} (name: "../${name}")) (builtins.attrNames units);
in
builtins.listToAttrs (
  named "" upstream (name: "${userland}/example/systemd/system/${name}")
  ++ named "" (builtins.attrNames own) (name: lib.writeText "unit-${name}" own.${name})
  ++ pulled "wants" wants
  ++ pulled "requires" requires
  ++ [
    { name = "initrd-switch-root.service.d/overrides.conf"; value = lib.writeText "overrides.conf" switchRoot; }
    { name = "default.target"; value = "initrd.target"; }
    { name = "ctrl-alt-del.target"; value = "reboot.target"; }
  ]
)
