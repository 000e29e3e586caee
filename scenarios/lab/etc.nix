# /etc of one system, as links, and the account files, which activation copies.
{ lib, system, parts, version }:
let
  network = system.network or null;
  ssh = system.ssh or false;
  addressing = if network.address == "dhcp" then "DHCP=ipv4" else "Address=${network.address}";

  file = name: text: lib.writeText (builtins.baseNameOf name) text;
  files = builtins.mapAttrs file ({
    "os-release" = ''
      ID=nixos
      NAME=NixOS
      PRETTY_NAME="NixOS (lab, from Debian's packages)"
      VERSION_ID="${version}"
    '';
    "hostname" = "lab\n";
    "hosts" = "127.0.0.1 localhost\n::1 localhost\n127.0.0.2 lab\n";
    "nsswitch.conf" = "passwd: files\ngroup: files\nshadow: files\nhosts: files dns\n";
    "fstab" = "/dev/disk/by-label/${system.root_label} / ext4 rw 0 0\n"
      + (if system ? esp_label then "/dev/disk/by-label/${system.esp_label} /boot vfat umask=0077 0 0\n" else "");
    "resolv.conf" = "";
    "shells" = "/run/current-system/sw/bin/bash\n${parts.userland}/bin/bash\n/bin/sh\n";
    # No locale but C is built in; Debian's systemd would choose C.UTF-8.
    "locale.conf" = "LANG=C\n";
    "systemd/system.conf" = "[Manager]\n";
    "systemd/journald.conf" = "[Journal]\nStorage=persistent\nRateLimitInterval=30s\nRateLimitBurst=10000\n";
    "sysctl.d/60-nixos.conf" = "kernel.sysrq = 16\n";
    "modules-load.d/nixos.conf" = "loop\n";
    "tmpfiles.d/00-nixos.conf" = "d /run/nixos 0755 root root -\nd /var/log/journal 2755 root systemd-journal -\n";
  } // (if ssh then {
    # Dropbear gives its sessions the distribution's search path, and no other.
    "tmpfiles.d/10-dropbear.conf" = "L+ /usr/sbin - - - - /run/current-system/sw/bin\n";
  } else { }) // (if network == null then { } else {
    "systemd/network/40-lan.network" = "[Match]\nName=${network.interface}\n\n[Network]\n${addressing}\nLinkLocalAddressing=no\nIPv6AcceptRA=no\n";
  }));

  account = name: id: { inherit name id; };
  accounts = [
    (account "nginx" 60) (account "backend" 61) (account "systemd-network" 152) (account "systemd-journal" 62)
    (account "nobody" 65534)
  ];
  groupsOnly = [
    (account "wheel" 1) (account "kmem" 2) (account "tty" 3) (account "disk" 6) (account "lp" 20) (account "dialout" 27)
    (account "cdrom" 24) (account "tape" 25) (account "video" 26) (account "audio" 17) (account "input" 174)
    (account "render" 303) (account "kvm" 302) (account "sgx" 304) (account "utmp" 29) (account "users" 100)
  ];
  passwdLine = user: "${user.name}:x:${toString user.id}:${toString user.id}::/var/empty:${parts.userland}/bin/nologin";
  groupLine = group: "${group.name}:x:${toString group.id}:";
  shadowLine = user: "${user.name}:!:1::::::";
in
{
  etc = lib.linkTree "etc" (builtins.listToAttrs (
    map (name: { name = "etc/${name}"; value = files.${name}; }) (builtins.attrNames files)
    ++ [
      { name = "etc/systemd/system"; value = parts.units; }
      { name = "etc/mtab"; value = "/proc/mounts"; }
    ]
  ));

  accounts = lib.linkTree "accounts" {
    passwd = lib.writeText "passwd" "root:x:0:0:System administrator:/root:${parts.userland}/bin/bash\n${lib.lines (map passwdLine accounts)}\n";
    group = lib.writeText "group" "root:x:0:\n${lib.lines (map groupLine (accounts ++ groupsOnly))}\n";
    shadow = lib.writeText "shadow" "root:${if ssh then "" else "!"}:1::::::\n${lib.lines (map shadowLine accounts)}\n";
  };
}
